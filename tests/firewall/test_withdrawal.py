"""Whose flows are looked at after a change: never fewer than it denies."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.departure import departed
from cloudsync.agent.firewall.ruleset import Rule, Ruleset
from cloudsync.agent.firewall.withdrawal import Suspects, suspects, vacated
from cloudsync.model.document import HostDocument
from tests.firewall.documents import DEFAULT, document, egress, group, ingress, instance, random_document
from tests.firewall.model import Model

A, B = instance("a", "10.20.0.2"), instance("b", "10.20.0.3", ("default", "web"))
FAR = instance("far", "10.20.9.9")
OPEN, CLOSED = group("web", ingress("any", "tcp", (80, 80))), group("web")
NOBODY: frozenset[str] = frozenset()


def compiled(found: HostDocument) -> Ruleset:
    return compile_document(found, 8775)


def world(*instances: str, web: object = OPEN, **more: object) -> HostDocument:
    found = document([one for one in (A, B) if one.name in instances], [DEFAULT, OPEN])
    groups = {**found.groups, "web": web}
    return replace(found, groups=groups, **more)  # type: ignore[arg-type]


BOTH = world("a", "b")
UNPROTECTED = replace(B, nics=(replace(B.nics[0], port_security=False),))


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (BOTH, BOTH, NOBODY),
        (world("a"), BOTH, {"10.20.0.3"}),
        (world("a", "b", web=CLOSED), BOTH, NOBODY),
        (BOTH, world("a", "b", web=CLOSED), {"10.20.0.3"}),
        (document([A], elsewhere=[FAR]), document([A]), {"10.20.9.9"}),
        (BOTH, world("a"), {"10.20.0.3"}),
        (document([A, B], [DEFAULT, OPEN]), document([A, replace(B, groups=("default",))], [DEFAULT]), {"10.20.0.3"}),
        (document([UNPROTECTED], [DEFAULT, OPEN]), document([B], [DEFAULT, OPEN]), {"10.20.0.3"}),
        (BOTH, replace(BOTH, infra=("192.0.2.1",)), None),
        (replace(BOTH, infra=("192.0.2.1",)), BOTH, NOBODY),
    ],
)
def test_suspects_are_those_whose_rules_or_elements_went(old: HostDocument, new: HostDocument, found: Suspects) -> None:
    assert suspects(compiled(old), compiled(new)) == (None if found is None else frozenset(found))


def test_a_foreign_rule_that_is_taken_out_may_have_let_anybody_through() -> None:
    wanted = compiled(BOTH)
    inet = wanted.tables["inet"]
    opened = replace(inet.chains["forward_to"], rules=(Rule(("accept",)), *inet.chains["forward_to"].rules))
    tampered = replace(inet, chains={**inet.chains, "forward_to": opened})
    assert suspects(Ruleset({**wanted.tables, "inet": tampered}), wanted) is None


def test_an_address_is_vacated_when_its_port_goes_or_becomes_anothers() -> None:
    heir = replace(instance("heir", "10.20.0.3"), groups=("default",))
    old = compiled(document([A, B], [DEFAULT, OPEN]))
    assert vacated(old, compiled(document([A], [DEFAULT]))) == {"10.20.0.3"}
    assert vacated(old, compiled(document([A, heir], [DEFAULT]))) == {"10.20.0.3"}
    assert suspects(old, compiled(document([A, heir], [DEFAULT]))) == frozenset({"10.20.0.3"})
    assert vacated(old, old) == NOBODY


def test_an_address_that_was_nobodys_has_no_flows_to_look_at() -> None:
    """Looking costs, however few flows there are; who left it has had his cut then."""
    old, new = compiled(world("a")), compiled(BOTH)
    assert suspects(old, new, NOBODY) == NOBODY
    assert suspects(old, new, {"10.20.0.3"}) == frozenset({"10.20.0.3"})
    assert suspects(old, new, None) == frozenset({"10.20.0.3"})


def test_who_has_left_which_address() -> None:
    """One that moves or is called otherwise takes its flows along; one that goes or is made anew does not."""
    here, far = document([A, B], [DEFAULT, OPEN]), document([A], [DEFAULT, OPEN], elsewhere=[B, FAR])
    assert departed(here, here) == {}
    assert departed(document([A], [DEFAULT, OPEN]), here) == {}
    assert departed(here, document([A, B], [DEFAULT, OPEN], elsewhere=[FAR])) == {}
    assert departed(here, far) == {"10.20.0.3": False}
    assert departed(far, here) == {"10.20.0.3": False, "10.20.9.9": True}
    renamed = document([A, replace(B, name="other")], [DEFAULT, OPEN])
    assert departed(here, renamed) == {"10.20.0.3": False}
    anew = document([A, replace(B, uuid="9" + B.uuid[1:])], [DEFAULT, OPEN])
    assert departed(here, anew) == {"10.20.0.3": True}


def test_an_entry_that_somebody_forged_vacates_nothing() -> None:
    """It bears another's address; when it is taken out the owner's flows go on."""
    wanted = compiled(BOTH)
    inet = wanted.tables["inet"]
    source = inet.containers["port_src4"]
    forged = replace(source, elements={**source.elements, "cs-ffffffffffff . 10.20.0.3 . 52:54:00:ff:ff:ff": ""})
    tampered = replace(inet, containers={**inet.containers, "port_src4": forged})
    assert vacated(Ruleset({**wanted.tables, "inet": tampered}), wanted) == NOBODY


def test_whatever_a_change_denies_has_a_suspect_at_one_end() -> None:
    lost = 0
    for seed in range(0, 200, 2):
        old, new = random_document(seed), random_document(seed + 1)
        before, after, found = Model(old), Model(new), suspects(compiled(old), compiled(new))
        for flow in random_flows(seed, old, new):
            if before(*flow) and not after(*flow):
                lost += 1
                assert found is None or set(flow[:2]) & found, (seed, flow, found)
    assert lost > 1000


def random_flows(seed: int, *worlds: HostDocument) -> Iterator[tuple[str, str, int, int | None, tuple[int, int]]]:
    """Most are between addresses of either world."""
    random = Random(seed)  # noqa: S311
    known = sorted({address for one in worlds for entry in one.directory.values() for address in entry.addresses})
    for _ in range(500):
        source, target = random.choice([*known, "192.0.2.7"]), random.choice([*known, "198.51.100.11"])
        port, kind = random.choice([None, random.randint(1, 65535)]), (random.randint(0, 255), 0)
        yield source, target, random.choice([1, 6, 17, 47]), port, kind


def test_egress_that_is_withdrawn_makes_the_sender_a_suspect() -> None:
    open_, shut = group("default", egress(), ingress("group.default")), group("default", ingress("group.default"))
    assert suspects(compiled(document([A], [open_])), compiled(document([A], [shut]))) == frozenset({"10.20.0.2"})
