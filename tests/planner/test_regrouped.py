"""A placement group that is new to what runs, or another than it was: what breaks it moves, once."""

from dataclasses import replace

import pytest

from cloudsync.model.cloud import Cloud, PlacementGroup, Where
from cloudsync.model.plan import Action, Plan
from tests.laws.fleet import Fleet
from tests.planner.build import cloud, instance
from tests.planner.test_changes import apply, change, plan, settled

HOSTS = ("kvm-1", "kvm-2", "kvm-3")
HOMES = {"w-1": "kvm-1", "w-2": "kvm-2", "w-3": "kvm-1"}


def fleet() -> Fleet:
    return settled(cloud(*(instance(name, where=Where(host=host)) for name, host in HOMES.items()), hosts=HOSTS))


def grouped(policy: str, most: int = 1) -> Cloud:
    groups = {"web": PlacementGroup(name="web", policy=policy, max_per_host=most)}
    return cloud(*(instance(name, where=Where(group="web")) for name in HOMES), hosts=HOSTS, placement_groups=groups)


def moves(made: Plan) -> dict[str, str]:
    return {one.address: str(one.fields[0].after) for one in made.changes if one.action is Action.MOVE}


@pytest.mark.parametrize(
    ("policy", "moved"),
    [
        ("anti-affinity", {"instance.w-3": "kvm-3"}),
        ("affinity", {"instance.w-2": "kvm-1"}),
        ("soft-anti-affinity", {}),
        ("soft-affinity", {}),
    ],
)
def test_what_breaks_a_new_group_moves_and_then_all_is_quiet(policy: str, moved: dict[str, str]) -> None:
    there = fleet()
    made = apply(there, grouped(policy))
    assert moves(made) == moved
    assert not made.unplaced
    assert plan(there, grouped(policy)).empty


def test_fewer_on_each_host() -> None:
    there = fleet()
    assert not moves(apply(there, grouped("anti-affinity", most=2)))
    assert moves(apply(there, grouped("anti-affinity"))) == {"instance.w-3": "kvm-3"}


def test_one_that_cannot_go_is_named_and_the_rest_is_done() -> None:
    there = fleet()
    goal = grouped("anti-affinity")
    goal = replace(goal, instances={**goal.instances, "w-2": replace(goal.instances["w-2"], keypairs=("alice",))})
    full = replace(goal.hosts["kvm-3"], zone="z", overcommit=replace(goal.hosts["kvm-3"].overcommit, vcpus=0.0))
    made = apply(there, replace(goal, hosts={**goal.hosts, "kvm-3": full}))
    (left,) = made.staying
    assert (left.instance, left.host) == ("w-3", "kvm-1")
    assert left.refusals["kvm-1"] == "web allows 1 there, and 2 live there"
    assert change(made, "instance.w-2").action is Action.UPDATE
