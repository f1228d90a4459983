"""Proposed moves: they serve the strategy, are few, break no rule at any point, and are the same every time."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsync.model.cloud import Cloud, Flavor, Overcommit, PlacementGroup, Scheduler, Where
from cloudsync.scheduler.rebalance import Move, rebalance
from tests.planner.build import GIB, cloud, instance
from tests.scheduler.test_place import host, seen

QUARTER = Flavor(name="quarter", vcpus=2, memory=4 * GIB, disk=10 * GIB)
GROUPS = {
    "apart": PlacementGroup(name="apart", policy="anti-affinity"),
    "near": PlacementGroup(name="near", policy="affinity"),
}


def uneven(where: dict[str, Where] | None = None, strategy: str = "spread") -> Cloud:
    """Four quarters, and three hosts."""
    wanted = [instance(name, flavor=QUARTER, where=(where or {}).get(name, Where())) for name in ("w", "x", "y", "z")]
    hosts = (host("a"), host("b"), host("c"))
    return cloud(*wanted, hosts=hosts, placement_groups=GROUPS, scheduler=Scheduler(strategy=strategy))


def moves(whole: Cloud, where: dict[str, str]) -> tuple[Move, ...]:
    return rebalance(whole, seen(whole), where)


def test_an_uneven_fleet_is_evened_out_with_few_moves() -> None:
    found = moves(uneven(), dict.fromkeys("wxyz", "a"))
    assert [(one.instance, one.source, one.target) for one in found] == [("z", "a", "b"), ("y", "a", "c")]
    assert found[0].why == "a 58% → 44% full, b 0% → 15%"
    assert moves(uneven(), {"w": "a", "x": "a", "y": "b", "z": "c"}) == ()


def test_a_dear_move_is_not_proposed() -> None:
    whole = uneven()
    dear = replace(whole, scheduler=Scheduler(weights={"moves": 20.0}))
    assert moves(dear, dict.fromkeys("wxyz", "a")) == ()


def test_what_names_its_host_or_must_be_together_stays() -> None:
    pinned = uneven(dict.fromkeys("wxyz", Where(host="a")))
    assert moves(pinned, dict.fromkeys("wxyz", "a")) == ()
    near = uneven(dict.fromkeys("wxyz", Where(group="near")))
    assert moves(near, dict.fromkeys("wxyz", "a")) == ()


def test_packing_empties_hosts() -> None:
    found = moves(uneven(strategy="pack"), {"w": "a", "x": "a", "y": "b", "z": "c"})
    assert [(one.instance, one.source, one.target) for one in found] == [("y", "b", "a"), ("z", "c", "a")]
    assert moves(uneven(strategy="pack"), dict.fromkeys("wxyz", "a")) == ()


def many(names: list[str]) -> Cloud:
    """Thirty of a kind that hardly fill a host, the named ones not of `count:`."""
    small = Flavor(name="small", vcpus=1, memory=GIB // 8, disk=GIB // 4)
    wanted = (instance(name, flavor=small, index=0 if name in names else at + 1) for at, name in enumerate(CROWD))
    return cloud(*wanted, hosts=[host(name, overcommit=Overcommit(vcpus=64.0)) for name in "abc"])


CROWD = [f"i{at:02}" for at in range(30)]


def test_a_host_that_came_back_is_filled_however_small_the_instances_are() -> None:
    where = {name: "bc"[at % 2] for at, name in enumerate(CROWD)}
    found = moves(many([]), where)
    assert 8 <= len(found) <= 10
    assert {one.target for one in found} == {"a"}
    assert found[0].why == "c 7% → 6% full, a 0.0% → 0.4%"
    where |= {one.instance: one.target for one in found}
    assert all(9 <= list(where.values()).count(name) <= 11 for name in "abc")


def test_those_that_the_spec_can_name_alone_are_moved_first() -> None:
    where = {name: "bc"[at % 2] for at, name in enumerate(CROWD)}
    named = ["i00", "i01", "i02", "i03"]
    assert {one.instance for one in moves(many(named), where)[:4]} == set(named)


PLACES = st.lists(st.sampled_from("abc"), min_size=4, max_size=4)
RULES = st.lists(st.sampled_from((None, "apart")), min_size=4, max_size=4)


@given(PLACES, RULES, st.sampled_from(("spread", "pack")))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_no_move_breaks_a_rule_at_any_point(places: list[str], rules: list[str | None], strategy: str) -> None:
    whole = uneven({name: Where(group=rule) for name, rule in zip("wxyz", rules, strict=True)}, strategy)
    where = dict(zip("wxyz", places, strict=True))
    found = moves(whole, where)
    assert found == moves(whole, dict(reversed(where.items())))
    for move in found:
        assert where[move.instance] == move.source != move.target
        where[move.instance] = move.target
        here = [name for name, place in where.items() if place == move.target]
        group = whole.instances[move.instance].where.group
        assert len(here) * QUARTER.memory <= 16 * GIB
        assert group is None or [whole.instances[name].where.group for name in here].count(group) == 1
    assert moves(whole, where) == ()
