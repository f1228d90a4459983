"""Several NICs: what one that comes, goes or moves does to the others, and who counts as a member of what."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cloudsync.model.cloud import Cloud, WantedNic
from cloudsync.model.plan import Action, Change, Disruption
from cloudsync.model.resources import Direction, Nic, Rule
from cloudsync.model.step import PutDocument, UpdateInstance
from tests.laws.fleet import Fleet, decide
from tests.laws.settled import assert_settled
from tests.planner.build import OUT, changed, cloud, group, image, instance, network
from tests.planner.test_changes import apply, change, plan, settled

FRONT, BACK = WantedNic(network="default"), WantedNic(network="back")
NETWORKS = {"default": network(), "back": network("10.30.0.0/24", "10.30.0.1", "back")}


def world(*nics: WantedNic, **fields: object) -> Cloud:
    return replace(cloud(instance("web", nics=nics), instance("db"), networks=NETWORKS), **fields)  # type: ignore[arg-type]


def nics(fleet: Fleet, whole: Cloud) -> tuple[Nic, ...]:
    return decide(whole, fleet.observe(whole)).desired.instances["web"].nics


def went(before: Cloud, after: Cloud) -> tuple[tuple[Nic, ...], tuple[Nic, ...], Change]:
    """The NICs before and after, and the change; nothing is left to do, and nothing looks drifted on the way."""
    fleet = settled(before)
    old = nics(fleet, before)
    assert plan(fleet, after).drift == ()
    made = apply(fleet, after)
    assert_settled(fleet, after)
    assert any(isinstance(step, UpdateInstance) for step in made.steps)
    return old, nics(fleet, after), change(made, "instance.web")


def fields(found: Change) -> dict[str, tuple[str | None, str | None]]:
    return {one.path: (one.before, one.after) for one in found.fields}


def test_one_more_nic_restarts_and_leaves_the_first_as_it_is() -> None:
    old, new, found = went(world(FRONT), world(FRONT, BACK))
    assert new[0] == old[0]
    assert new[1].address.startswith("10.30.0.")
    assert (found.action, found.disruption) == (Action.UPDATE, Disruption.RESTART)
    assert fields(found)["network"] == ("default", "default, back")
    assert fields(found)["address"] == (old[0].address, f"{old[0].address} {new[1].address}")
    assert "port_security" not in fields(found)
    assert any("set a new network card up by itself" in reason for reason in found.reasons)


@pytest.mark.parametrize("stays", [FRONT, BACK])
def test_one_nic_less_leaves_the_other_as_it_is(stays: WantedNic) -> None:
    old, new, found = went(world(FRONT, BACK), world(stays))
    assert new == tuple(nic for nic in old if nic.network == stays.network)
    assert found.disruption is Disruption.RESTART
    assert found.reasons == ()


def test_another_order_restarts_and_every_nic_stays_what_it_is() -> None:
    old, new, found = went(world(FRONT, BACK), world(BACK, FRONT))
    assert new == old[::-1]
    assert found.disruption is Disruption.RESTART
    assert set(fields(found)) == {"network", "address"}


def test_a_nic_in_front_of_the_others_gets_a_tap_of_its_own() -> None:
    old, new, _ = went(world(BACK), world(FRONT, BACK))
    assert new[1] == old[0]
    assert len({nic.tap for nic in new} | {nic.mac for nic in new}) == 4


def test_one_network_may_have_two_nics_of_one_instance() -> None:
    old, new, _ = went(world(FRONT, FRONT), world(FRONT, FRONT, FRONT))
    assert new[:2] == old
    assert len({nic.address for nic in new}) == len({nic.tap for nic in new}) == 3


def test_written_addresses_say_which_nic_is_which() -> None:
    a, b = (replace(FRONT, address=f"10.20.0.{last}") for last in (5, 6))
    old, new, _ = went(world(a, b), world(b, a))
    assert new == old[::-1]
    assert went(world(a, b), world(b))[1] == (old[1],)


def test_another_network_takes_over_the_tap_of_the_one_that_goes() -> None:
    old, new, _ = went(world(FRONT), world(BACK))
    assert (new[0].tap, new[0].mac) == (old[0].tap, old[0].mac)
    assert new[0].address != old[0].address


def test_a_replaced_instance_keeps_its_addresses_and_nothing_else() -> None:
    before = world(FRONT, BACK)
    fleet = settled(before)
    after = changed(replace(before, images={**before.images, "noble": image("noble")}), "web", image="noble")
    old = nics(fleet, before)
    apply(fleet, after)
    new = nics(fleet, after)
    assert [nic.address for nic in new] == [nic.address for nic in old]
    assert not {nic.tap for nic in new} & {nic.tap for nic in old}


@pytest.mark.parametrize("order", [(FRONT, BACK), (BACK, FRONT)])
def test_a_machine_whose_record_is_lost_keeps_every_nic(order: tuple[WantedNic, ...]) -> None:
    """After a change of order: the taps do not follow from the NICs' places any more."""
    before = world(FRONT, BACK)
    fleet = settled(before)
    apply(fleet, world(*order))
    old = nics(fleet, world(*order))
    for host in fleet.hosts.values():
        host.state = replace(host.state, document=None)
    made = apply(fleet, world(*order))
    assert nics(fleet, world(*order)) == old
    assert not any(isinstance(step, UpdateInstance) for step in made.steps)


def test_a_gateway_that_moves_is_named_for_its_nic_only() -> None:
    moved = {**NETWORKS, "back": network("10.30.0.0/24", "10.30.0.254", "back")}
    _, _, found = went(world(FRONT, BACK), world(FRONT, BACK, networks=moved))
    assert fields(found) == {"gateway": ("10.30.0.1", "10.30.0.254")}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ((FRONT, BACK), (FRONT, replace(BACK, port_security=False)), ("on", "off for {1}")),
        ((replace(FRONT, port_security=False),), (FRONT,), ("off", "on")),
        ((FRONT, BACK), (replace(FRONT, port_security=False), replace(BACK, port_security=False)), ("on", "off")),
    ],
)
def test_port_security_changes_live(
    before: tuple[WantedNic, ...], after: tuple[WantedNic, ...], said: tuple[str, str]
) -> None:
    fleet = settled(world(*before))
    addresses = [nic.address for nic in nics(fleet, world(*before))]
    made = apply(fleet, world(*after))
    found = change(made, "instance.web")
    assert found.disruption is Disruption.LIVE
    assert fields(found) == {"port_security": tuple(word.format(*addresses) for word in said)}
    assert all(isinstance(step, PutDocument) for step in made.steps)


def test_a_nic_without_port_security_is_told_when_it_comes() -> None:
    made = plan(Fleet(), world(FRONT, replace(BACK, port_security=False)))
    address = decide(world(FRONT, BACK), Fleet().observe(world())).desired.instances["web"].nics[1].address
    assert fields(change(made, "instance.web"))["port_security"] == (None, f"off for {address}")


def members(whole: Cloud, fleet: Fleet) -> dict[str, set[str]]:
    document = next(step.document for step in plan(fleet, whole).steps if isinstance(step, PutDocument))
    return {remote: set(addresses) for remote, addresses in document.members.items()}


def of(*names: str) -> Callable[[Cloud], set[str]]:
    def addresses(whole: Cloud) -> set[str]:
        desired = decide(whole, Fleet().observe(whole)).desired
        return {nic.address for name in names for nic in desired.instances[name].nics}

    return addresses


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("group.default", of("db")),
        ("group.web", of("web-1", "web-2")),
        ("group.nobody", of()),
        ("instance.web", of("web-1", "web-2")),
        ("instance.web-2", of("web-2")),
        ("instance.db", of("db")),
    ],
)
def test_members_have_all_their_addresses(remote: str, expected: Callable[[Cloud], set[str]]) -> None:
    two = [
        instance(f"web-{at}", base="web", index=at, groups=("web",), nics=(FRONT, replace(BACK, port_security=False)))
        for at in (1, 2)
    ]
    rule = Rule(direction=Direction.INGRESS, remote=remote)
    whole = cloud(
        *two,
        instance("db"),
        networks=NETWORKS,
        groups={one.name: one for one in (group("default", OUT, rule), group("web", OUT), group("nobody"))},
    )
    assert members(whole, Fleet()) == {remote: expected(whole)}
