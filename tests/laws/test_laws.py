"""What holds for every world: reached from any other, from any point where an apply was cut off, and then quiet."""

import hypothesis.strategies as st
from hypothesis import given

from cloudsync.model import wire
from cloudsync.model.cloud import Cloud
from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Disruption, Plan
from cloudsync.model.problem import SpecError
from cloudsync.model.snapshot import Snapshot
from tests.laws.fleet import Fleet, decide
from tests.laws.journey import possible, reach
from tests.laws.many import law
from tests.laws.settled import assert_settled
from tests.laws.worlds import journeys, shuffled


@law
@given(journeys(3))
def test_any_world_reaches_any_other_and_is_then_quiet(stops: tuple[Cloud, ...]) -> None:
    fleet = Fleet()
    for stop in stops:
        assert_settled(fleet, reach(fleet, stop))


@law
@given(journeys(3), st.integers(0, 12))
def test_an_apply_that_was_cut_off_converges(stops: tuple[Cloud, ...], steps: int) -> None:
    """Also when the spec changed in between."""
    start, cut, end = stops
    fleet = Fleet()
    reach(fleet, start)
    cut = possible(fleet, cut)
    fleet.apply(decide(cut, fleet.observe(cut)).plan, cut, stop_after=steps)
    assert_settled(fleet, reach(fleet, cut))
    cut = possible(fleet, end)
    fleet.apply(decide(cut, fleet.observe(cut)).plan, cut, stop_after=steps)
    assert_settled(fleet, reach(fleet, start))


@law
@given(journeys(3), st.integers(0, 30))
def test_a_step_that_failed_half_way_is_finished_by_the_next_run(stops: tuple[Cloud, ...], which: int) -> None:
    start, goal, end = stops
    fleet = Fleet()
    reach(fleet, start)
    goal = possible(fleet, goal)
    _apply_broken(fleet, goal, which)
    after = possible(fleet, end) if which % 2 else goal
    assert_settled(fleet, reach(fleet, after))


def _apply_broken(fleet: Fleet, cloud: Cloud, which: int) -> None:
    plan = decide(cloud, fleet.observe(cloud)).plan
    if not plan.steps:
        return
    step = plan.steps[which % len(plan.steps)]
    fleet.hosts[step.host].breaks = step.id
    outcome = fleet.apply(plan, cloud)
    assert outcome.failed == (step.id,)
    assert not set(outcome.succeeded) & {other.id for other in plan.steps if step.id in other.waits_for}


@law
@given(journeys(2), st.integers(1, 4))
def test_the_order_of_maps_changes_nothing(stops: tuple[Cloud, ...], order: int) -> None:
    start, goal = stops
    fleet = Fleet()
    reach(fleet, start)
    snapshot = fleet.observe(goal)
    assert _decided(goal, snapshot) == _decided(shuffled(goal, order), snapshot)


def _decided(cloud: Cloud, snapshot: Snapshot) -> str:
    try:
        return wire.digest(decide(cloud, snapshot).plan)
    except SpecError as error:
        return "\n".join(problem.message for problem in error.problems)


@law
@given(journeys(2))
def test_nothing_is_disturbed_beyond_what_the_plan_says(stops: tuple[Cloud, ...]) -> None:
    """No machine stops and no disk goes unless its change says so, and what it says happens; every plan survives the
    wire, and the next one is empty."""
    start, goal = stops
    fleet = Fleet()
    reach(fleet, start)
    goal = possible(fleet, goal)
    plan = decide(goal, fleet.observe(goal)).plan
    assert wire.load(Plan, wire.dump(plan)) == plan
    names = {one.uuid: one.name for document in _documents(fleet) for one in document.instances.values()}
    disks = fleet.disks()
    for host in fleet.hosts.values():
        host.stopped.clear()
    fleet.apply(plan, goal)
    restarting = {one.address for one in plan.changes if one.disruption >= Disruption.RESTART}
    renamed = {field.before: one.address for one in plan.changes for field in one.fields if field.path == "name"}
    stopped = {names[uuid] for host in fleet.hosts.values() for uuid in host.stopped}
    told = {renamed.get(name, f"instance.{name}") for name in stopped}
    assert told <= restarting
    assert {one.address for one in plan.changes if one.disruption is Disruption.RESTART} <= told
    destroyed = {one.address for one in plan.changes if one.destroys_data and one.disks[:1] in ((), ("root",))}
    assert {renamed.get(names[uuid], f"instance.{names[uuid]}") for uuid in disks - fleet.disks()} == destroyed
    assert_settled(fleet, goal)


def _documents(fleet: Fleet) -> list[HostDocument]:
    return [host.state.document for host in fleet.hosts.values() if host.state.document]
