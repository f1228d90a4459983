"""A part of a plan, in every world: what it holds is not touched, and what is left is just the rest of the plan."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import hypothesis.strategies as st
from hypothesis import event, given

from cloudsync.hosts.sim_state import SimState
from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Action, Change, Plan
from cloudsync.model.resources import Instance, Power
from cloudsync.model.snapshot import Snapshot
from cloudsync.planner.narrow import TOGETHER, narrowed, quiet
from cloudsync.planner.target import aimed
from cloudsync.scheduler.standing import standing
from tests.laws.fleet import Fleet, decide
from tests.laws.journey import possible, reach
from tests.laws.many import law
from tests.laws.settled import assert_settled
from tests.laws.worlds import journeys


def part_of(cloud: Cloud, snapshot: Snapshot, whole: Plan, goes: Callable[[Change], bool]) -> Plan:
    hosts = standing(cloud, snapshot)
    return narrowed(cloud, hosts, whole, goes, lambda one: decide(one, snapshot).plan, "waiting", upkeep=True)


@dataclass(frozen=True)
class Left:
    """All that hosts have of one instance."""

    places: tuple[tuple[Any, ...], ...]

    @classmethod
    def of(cls, fleet: Fleet, uuid: str) -> "Left":
        states: list[SimState] = [host.state for host in fleet.hosts.values()]
        return cls(tuple(_of(state, uuid) for state in states))

    @property
    def running(self) -> "Left":
        """As if it ran everywhere where it is."""
        found = []
        for machine, *rest, _ in self.places:
            found.append((replace(machine, power=Power.RUNNING) if machine else None, *rest))
        return Left(tuple(found))


def _of(state: SimState, uuid: str) -> tuple[Any, ...]:
    records = state.document.instances.values() if state.document else ()
    machine = state.machines.get(uuid)
    data = {disk.id: state.data.get(disk.id) for disk in machine.disks} if machine else {}
    record = next((one for one in records if one.uuid == uuid), None)
    return machine, state.disks.get(uuid), state.bases.get(uuid), data, record, state.runs.get(uuid)


def waiting(fleet: Fleet, plan: Plan) -> set[str]:
    """UUIDs of what is there and held."""
    names = {one.change.address.removeprefix("instance.") for one in plan.held}
    names |= {
        field.before
        for one in plan.held
        if one.change.action is Action.RENAME
        for field in one.change.fields
        if field.path == "name" and field.before
    }
    documents = [host.state.document for host in fleet.hosts.values() if host.state.document]
    return {one.uuid for document in documents for one in document.instances.values() if one.name in names}


@law
@given(journeys(2))
def test_a_quiet_part_touches_nothing_that_waits_and_leaves_just_the_rest(stops: tuple[Cloud, ...]) -> None:
    start, goal = stops
    fleet = Fleet()
    reach(fleet, start)
    goal = possible(fleet, goal)
    whole = decide(goal, fleet.observe(goal)).plan
    part = part_of(goal, fleet.observe(goal), whole, quiet)
    assert all(quiet(change) for change in part.changes)
    _is_told(whole, part)
    event(f"held {bool(part.held)}, made {bool(part.steps)}, inseparable {TOGETHER in part.warnings}")
    _carried_out(fleet, goal, part)
    rest = decide(goal, fleet.observe(goal)).plan
    again = part_of(goal, fleet.observe(goal), rest, quiet)
    assert TOGETHER in part.warnings or not again.steps, (part.changes, again.changes)
    _without_place(goal, rest)
    fleet.apply(rest, goal)
    assert_settled(fleet, goal)


@law
@given(journeys(2), st.integers(0, 2), st.sampled_from([Power.STOPPED, Power.PAUSED]))
def test_what_waits_is_set_back_to_its_record_and_is_nothing_else(
    stops: tuple[Cloud, ...], which: int, power: Power
) -> None:
    start, goal = stops
    fleet = Fleet()
    reach(fleet, start)
    goal = possible(fleet, goal)
    _struck(fleet, which, power)
    whole = decide(goal, fleet.observe(goal)).plan
    part = part_of(goal, fleet.observe(goal), whole, _mends)
    mended = {one.address for one in part.changes} & {one.change.address for one in part.held}
    assert all(one.action is Action.REPAIR for one in part.changes if one.address in mended)
    uuids = waiting(fleet, part)
    before = {uuid: Left.of(fleet, uuid).running for uuid in uuids}
    records = {uuid: record for uuid in uuids if (record := _record(fleet, uuid))}
    outcome = fleet.apply(part, goal)
    assert not outcome.failed, fleet.failures[-1]
    for uuid, was in before.items():
        assert Left.of(fleet, uuid).running == was
    for uuid, record in records.items():
        if f"instance.{record.name}" in mended:
            assert _power(fleet, uuid) is record.state
    event(f"mended {bool(mended)}")
    again = decide(goal, fleet.observe(goal)).plan
    rest = part_of(goal, fleet.observe(goal), again, _mends)
    assert TOGETHER in part.warnings or not rest.steps, (part.changes, rest.changes)


def _mends(change: Change) -> bool:
    """All that is new of an instance waits."""
    return quiet(change) and (change.action is Action.REPAIR or not change.address.startswith("instance."))


def _struck(fleet: Fleet, which: int, power: Power) -> None:
    """A third of what runs does not any more."""
    for host in fleet.hosts.values():
        state = host.state
        down = [uuid for uuid in sorted(state.runs) if int(uuid[:8], 16) % 3 == which]
        machines = {**state.machines, **{uuid: replace(state.machines[uuid], power=power) for uuid in down}}
        runs = {uuid: run for uuid, run in state.runs.items() if uuid not in down or power is Power.PAUSED}
        host.state = replace(state, machines=machines, runs=runs)


def _record(fleet: Fleet, uuid: str) -> Instance | None:
    documents = [host.state.document for host in fleet.hosts.values() if host.state.document]
    return next((one for it in documents for one in it.instances.values() if one.uuid == uuid), None)


def _power(fleet: Fleet, uuid: str) -> Power | None:
    machines = (host.state.machines.get(uuid) for host in fleet.hosts.values())
    return next((one.power for one in machines if one), None)


@law
@given(journeys(2), st.integers(0, 50))
def test_a_target_touches_nothing_else(stops: tuple[Cloud, ...], which: int) -> None:
    start, goal = stops
    fleet = Fleet()
    reach(fleet, start)
    goal = possible(fleet, goal)
    snapshot = fleet.observe(goal)
    whole = decide(goal, snapshot).plan
    addresses = sorted({change.address for change in whole.changes if not change.address.startswith("host.")})
    if not addresses:
        return
    target = addresses[which % len(addresses)]
    hosts = standing(goal, snapshot)
    part = aimed(goal, hosts, whole, [target], lambda one: decide(one, snapshot).plan)
    assert part.targets == (target,)
    _is_told(whole, part)
    named = target in {change.address for change in part.changes}
    event(f"made {named}, inseparable {TOGETHER in part.warnings}")
    groups = [host.state.document.groups for host in fleet.hosts.values() if host.state.document]
    _carried_out(fleet, goal, part)
    after = [host.state.document.groups for host in fleet.hosts.values() if host.state.document]
    changed = {f"group.{name}" for one in groups for name in one if any(one[name] != now.get(name) for now in after)}
    assert changed <= {change.address for change in part.changes}
    rest = decide(goal, fleet.observe(goal)).plan
    # Those that must be near it may still have to move, and it with them.
    made = {(change.address, change.action) for change in part.changes if change.address == target}
    assert not made & {(change.address, change.action) for change in rest.changes}
    fleet.apply(rest, goal)
    assert_settled(fleet, goal)


def _is_told(whole: Plan, part: Plan) -> None:
    """Each change of the plan is made or held, or it was only there for the sake of one that is held."""
    made = {change.address for change in part.changes}
    held = {one.change.address for one in part.held}
    assert not made & held
    missing = {change.address for change in whole.changes} - made - held
    assert all(address.startswith(("image.", "host.")) for address in missing), missing


def _carried_out(fleet: Fleet, cloud: Cloud, part: Plan) -> None:
    before = {uuid: Left.of(fleet, uuid) for uuid in waiting(fleet, part)}
    outcome = fleet.apply(part, cloud)
    assert not outcome.failed, fleet.failures[-1]
    assert not outcome.skipped
    for uuid, was in before.items():
        assert Left.of(fleet, uuid) == was


def _without_place(cloud: Cloud, rest: Plan) -> None:
    """What was held may have taken the room of what came: then a person has to choose."""
    assert not rest.homeless, (cloud.name, rest.homeless)
