"""What Git alone says of a change: nothing of a spec that stays, and of another what the plan of the hosts says.

What is refused there, unless for a host's sake, is refused here.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given

from cloudsync import pipeline
from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Action, Disruption, Plan
from cloudsync.model.problem import SpecError
from cloudsync.pipeline import compare
from cloudsync.planner.between import between
from cloudsync.planner.documents import content
from cloudsync.planner.folded import fold
from cloudsync.planner.settled import settled
from cloudsync.planner.supposed import suppose
from cloudsync.reach.exposure import exposure
from cloudsync.reach.wanted import of_cloud
from cloudsync.scheduler.place import place
from cloudsync.spec.versions import Version
from tests.laws.fleet import Fleet, decide
from tests.laws.journey import reach, without_unplaced
from tests.laws.many import law
from tests.laws.worlds import journeys


@law
@given(journeys(1))
def test_the_settled_snapshot_is_what_an_apply_leaves(stops: tuple[Cloud, ...]) -> None:
    fleet = Fleet()
    bare = fleet.observe(stops[0])
    cloud = reach(fleet, stops[0])
    found, there = settled(cloud, place(cloud, bare)[0], bare), fleet.observe(cloud)
    plan = decide(cloud, found).plan
    assert plan.empty, (plan.changes, plan.drift, plan.steps)
    for name, host in found.hosts.items():
        other = there.hosts[name]
        assert content(host.document) == content(other.document)
        same = {uuid: replace(one, generation=0) for uuid, one in other.machines.items()}
        assert {uuid: replace(one, generation=0) for uuid, one in host.machines.items()} == same
        assert (host.disks, host.images.keys()) == (other.disks, other.images.keys())
        assert host.runs.keys() == other.runs.keys()


def difference(base: Cloud, head: Cloud) -> Plan:
    return compare(Version("a", "cloud.yaml", base), Version("b", "cloud.yaml", head)).plan


@law
@given(journeys(1))
def test_a_spec_that_stays_changes_nothing(stops: tuple[Cloud, ...]) -> None:
    plan = difference(stops[0], stops[0])
    assert (plan.changes, plan.exposure.added, plan.exposure.removed, plan.warnings) == ((), (), (), ())


@law
@given(journeys(2))
def test_one_that_stands_for_many_reaches_what_they_reach(stops: tuple[Cloud, ...]) -> None:
    base, head = stops
    folded = fold(base, head)
    assert len(folded.head.instances) <= len(head.instances)
    one = exposure(of_cloud(folded.base), of_cloud(folded.head), folded.members)
    assert one == exposure(of_cloud(base), of_cloud(head))


@law
@given(journeys(2))
def test_a_diff_says_what_the_plan_of_the_hosts_says(stops: tuple[Cloud, ...]) -> None:
    """Where instances are there, the same ones come, go and are made anew, and what else is disturbed is named too."""
    fleet = Fleet()
    base = reach(fleet, stops[0])
    try:
        head = without_unplaced(stops[1], decide(stops[1], fleet.observe(stops[1])).plan)
    except SpecError as refused:
        if any("protected" in one.message or "cannot shrink" in one.message for one in refused.problems):
            with pytest.raises(SpecError):
                difference(base, stops[1])
        return
    there, alone = decide(head, fleet.observe(head)).plan, difference(base, head)
    for action in (Action.CREATE, Action.DELETE, Action.REPLACE):
        assert of(there, action) == of(alone, action), action
    missing = disturbed(there, Action.MOVE) - disturbed(alone) - surprised(base, head, there)
    assert not missing, [one for plan in (there, alone) for one in plan.changes if one.address in missing]
    assert not alone.steps
    written = {nic.address for cloud in (base, head) for one in cloud.instances.values() for nic in one.nics}
    for change in alone.changes:
        for field in change.fields:
            if field.path == "address":
                words = f"{field.before or ''} {field.after or ''}".replace("in 10.", "").split()
                assert {word for word in words if word.startswith("10.")} <= written


@law
@given(journeys(2))
def test_what_is_the_same_in_both_can_be_left_out(stops: tuple[Cloud, ...]) -> None:
    assert _or_problems(difference, *stops) == _or_problems(_difference_of_all, *stops)


def _difference_of_all(base: Cloud, head: Cloud) -> Plan:
    world = suppose(base, head)
    plan = pipeline.decide(world.head, settled(world.base, world.homes, world.bare, world.held), "")
    return between(plan, base, head, world)


def _or_problems(told: Callable[[Cloud, Cloud], Plan], base: Cloud, head: Cloud) -> Plan | set[str]:
    try:
        return told(base, head)
    except SpecError as refused:
        return {one.message for one in refused.problems}


def of(plan: Plan, action: Action) -> set[str]:
    return {one.address for one in plan.changes if one.action is action and one.address.startswith("instance.")}


def disturbed(plan: Plan, *aside: Action) -> set[str]:
    """Whether one has to move depends on the host that it is on."""
    found = (one for one in plan.changes if one.address.startswith("instance.") and one.action not in aside)
    return {one.address for one in found if one.disruption >= Disruption.RESTART}


def surprised(base: Cloud, head: Cloud, there: Plan) -> set[str]:
    """Those that never asked for the address that they have, and another does now: a note says so."""
    then, now = ({nic.address for one in cloud.instances.values() for nic in one.nics} for cloud in (base, head))
    fields = [(one.address, field) for one in there.changes for field in one.fields if field.path == "address"]
    return {name for name, field in fields if set((field.before or "").split()) & (now - then)}
