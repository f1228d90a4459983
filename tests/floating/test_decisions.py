"""What of floating addresses is decided without a kernel: elements, which flows are cut, routes, and what is said."""

from dataclasses import replace

import pytest

from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.ctnetlink import Entry
from cloudsync.agent.firewall.eviction import misled
from cloudsync.agent.firewall.ruleset import Ruleset
from cloudsync.agent.firewall.withdrawal import suspects
from cloudsync.agent.links.routes import DEVICE, Route, closing, floating, swallowing
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from tests.floating.world import FIRST, SECOND, THIRD, A, world
from tests.floating.world import floating as given

A_IS, B_IS = "10.20.0.11", "10.20.0.12"


def elements(document: HostDocument, name: str) -> dict[str, str]:
    return dict(compile_document(document, 8775).tables["inet"].containers[name].elements)


def test_each_floating_address_is_translated_both_ways_and_back_to_the_guest_itself() -> None:
    assert elements(world(), "fip_in4") == {FIRST: "10.20.0.11", SECOND: "10.20.0.12", THIRD: "10.20.0.14"}
    assert elements(world(), "fip_out4") == {"10.20.0.11": FIRST, "10.20.0.12": SECOND, "10.20.0.14": THIRD}
    assert set(elements(world(), "fip_self4")) == {
        "10.20.0.11 . 10.20.0.11",
        "10.20.0.12 . 10.20.0.12",
        "10.20.0.14 . 10.20.0.14",
    }


def test_nothing_unchecked_reaches_nft() -> None:
    evil = given(A, "203.0.113.1 : 10.20.0.1 } ; drop")
    with pytest.raises(HostError, match=r"instance\.a: "):
        compile_document(replace(world(), instances={"a": evil}), 8775)


def test_subnets_end_here_but_for_guests_and_floating_addresses_end_in_nothing() -> None:
    assert closing(world(b=None)) | swallowing(world(b=None)) == {
        Route("10.20.0.0/16"): "network.default",
        Route("10.30.0.0/24"): "network.bare",
        Route(f"{FIRST}/32", DEVICE): "instance.a",
        Route(f"{THIRD}/32", DEVICE): "instance.shut",
    }
    assert floating(world(b=None)) == {FIRST: "instance.a", THIRD: "instance.shut"}


@pytest.mark.parametrize(
    ("before", "after", "looked_at"),
    [
        (world(), world(), set()),
        (world(), world(a=None), {FIRST}),
        (world(), world(a=None, b=FIRST), {FIRST, SECOND}),
        (world(), world(a=SECOND, b=FIRST), {FIRST, SECOND}),  # every key stays
        (world(a=None), world(), {FIRST}),  # it was somebody else's: flows there are misled from now on
    ],
)
def test_flows_by_which_addresses_must_be_looked_at(
    before: HostDocument, after: HostDocument, looked_at: set[str]
) -> None:
    assert suspects(compile_document(before, 8775), compile_document(after, 8775)) == frozenset(looked_at)


def test_what_a_flushed_table_let_pass_is_not_known() -> None:
    assert suspects(Ruleset(), compile_document(world(), 8775)) is None


def flow(source: str, target: str, reply_source: str, reply_target: str) -> Entry:
    return Entry(6, source, target, reply_source, reply_target, (1, 80), 80)


OUT = "192.0.2.9"
COMES = flow(OUT, FIRST, A_IS, OUT)
LEAVES = flow(A_IS, OUT, OUT, FIRST)
ITSELF = flow(A_IS, FIRST, A_IS, "10.20.0.1")
NEIGHBOUR = flow("10.20.0.13", FIRST, A_IS, "10.20.0.13")
BY_ITS_OWN = flow(OUT, A_IS, A_IS, OUT)
OTHER = flow(OUT, SECOND, B_IS, OUT)
NOBODY_YET = flow("10.20.0.13", THIRD, THIRD, "198.51.100.1")
OTHERS_TRANSLATION = flow(OUT, "198.51.100.1", A_IS, OUT)
FLOWS = (COMES, LEAVES, ITSELF, NEIGHBOUR, BY_ITS_OWN, OTHER, NOBODY_YET, OTHERS_TRANSLATION)


@pytest.mark.parametrize(
    ("now", "cut"),
    [
        ({FIRST: A_IS, SECOND: B_IS}, []),
        ({FIRST: "10.20.0.13", SECOND: B_IS}, [COMES, LEAVES, ITSELF, NEIGHBOUR]),
        ({SECOND: B_IS}, [COMES, LEAVES, ITSELF, NEIGHBOUR]),
        ({FIRST: B_IS, SECOND: A_IS}, [COMES, LEAVES, ITSELF, NEIGHBOUR, OTHER]),
        ({FIRST: A_IS, SECOND: B_IS, THIRD: "10.20.0.14"}, [NOBODY_YET]),
    ],
)
def test_the_old_owners_flows_are_cut_and_nobody_elses(now: dict[str, str], cut: list[Entry]) -> None:
    assert list(misled(FLOWS, {FIRST, SECOND} | now.keys(), now)) == cut
