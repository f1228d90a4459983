"""What holds when other hands are at the hosts: an apply puts right what it may, and touches nothing that is paused."""

from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Action, Disruption
from cloudsync.model.resources import Instance, Power
from cloudsync.model.snapshot import Machine, Traces
from tests.laws.fleet import Fleet, decide
from tests.laws.journey import possible, reach
from tests.laws.many import law
from tests.laws.settled import assert_settled
from tests.laws.worlds import journeys

WAYS: tuple[dict[str, Any], ...] = (
    {"power": Power.STOPPED},
    {"power": Power.PAUSED},
    {"power": Power.CRASHED},
    {"power": Power.STOPPED, "traces": Traces(saved=True)},
    {"power": Power.STOPPED, "traces": Traces(saved=True), "autostart": True},
    {"vcpus": 7},
    {"memory": 7 << 20},
    {"nics": ()},
    {"autostart": False},
    {"autostart": True},
    {"traces": Traces(definition=("x is new",))},
    {"traces": Traces(running=("x is new",))},
    {"traces": Traces(undefined=True), "autostart": False},
    {"name": "other"},
)


@st.composite
def hands(draw: st.DrawFn) -> tuple[int, ...]:
    """What is done to each machine, by its turn: nothing, one of WAYS, or it is gone."""
    return tuple(draw(st.lists(st.integers(-1, len(WAYS)), min_size=4, max_size=4)))


def meddle(fleet: Fleet, ways: tuple[int, ...]) -> None:
    turn = 0
    for host in fleet.hosts.values():
        machines: dict[str, Machine] = {}
        for uuid, one in sorted(host.state.machines.items()):
            way = ways[turn % len(ways)]
            turn += 1
            if way < len(WAYS):
                machines[uuid] = replace(one, **WAYS[way]) if way >= 0 else one
        names = [one.name for one in machines.values()]
        if len(names) == len(set(names)):
            host.state = replace(host.state, machines=machines)


@law
@given(journeys(1), hands())
def test_one_apply_puts_right_what_other_hands_did(stops: tuple[Cloud, ...], ways: tuple[int, ...]) -> None:
    """No machine stops unless the plan says so; what is ignored stays as it is."""
    fleet = Fleet()
    cloud = reach(fleet, stops[0])
    meddle(fleet, ways)
    for host in fleet.hosts.values():
        host.stopped.clear()
    plan = decide(cloud, fleet.observe(cloud)).plan
    assert {one.action for one in plan.changes} <= {Action.REPAIR}
    restarting = {one.address for one in plan.changes if one.disruption >= Disruption.RESTART}
    records = {one.uuid: one for one in recorded(fleet)}
    outcome = fleet.apply(plan, cloud)
    assert not outcome.failed, fleet.failures
    stopped = {f"instance.{records[uuid].name}" for host in fleet.hosts.values() for uuid in host.stopped}
    assert stopped <= restarting
    after = decide(cloud, fleet.observe(cloud)).plan
    assert not (after.steps or after.changes), (after.steps, after.changes)
    assert not any(one.repaired for one in after.drift), after.drift
    if not after.drift:
        assert_settled(fleet, cloud)


def recorded(fleet: Fleet) -> list[Instance]:
    documents = [host.state.document for host in fleet.hosts.values() if host.state.document]
    return [one for document in documents for one in document.instances.values()]


def everything(fleet: Fleet, names: set[str]) -> list[object]:
    """All that hosts have of these."""
    found: list[object] = []
    for name, host in sorted(fleet.hosts.items()):
        state = host.state
        there = state.document.instances if state.document else {}
        for one in sorted(there):
            if one in names:
                uuid = there[one].uuid
                data = there[one].user_data
                bytes_ = state.document.user_data.get(data.sha256) if state.document and data else None
                machine = state.machines.get(uuid)
                found.append((name, there[one], machine, state.disks.get(uuid), state.bases.get(uuid), bytes_))
    return found


@law
@given(journeys(2), hands(), st.sampled_from(("app", "db", "web", "old")))
def test_nothing_touches_what_is_paused(stops: tuple[Cloud, ...], ways: tuple[int, ...], base: str) -> None:
    """Whatever else changes around it, and then what waited is made."""
    start, goal = stops
    fleet = Fleet()
    reach(fleet, start)
    if base not in {one.base for one in goal.instances.values()}:
        return
    goal = possible(fleet, goal)
    paused = replace(goal, paused=frozenset({base}))
    meddle(fleet, ways)
    names = {one.name for one in recorded(fleet)}
    held = {name for name in names if name == base or name.rpartition("-")[0] == base}
    # What another instance was is that one's now.
    held -= {old for one in goal.instances.values() if one.base != base for old in one.was}
    before = everything(fleet, held)
    plan = planned(fleet, paused)
    if plan is None:
        return
    outcome = fleet.apply(plan, paused)
    assert not outcome.failed, fleet.failures
    assert everything(fleet, held) == before or not held
    again = planned(fleet, paused)
    assert again is not None
    assert not (again.steps or again.changes), (again.steps, again.changes)


def planned(fleet: Fleet, cloud: Cloud) -> Any:
    """None where what is paused is in the way, which is refused."""
    from cloudsync.model.problem import CloudsyncError, SpecError

    try:
        return decide(cloud, fleet.observe(cloud)).plan
    except (SpecError, CloudsyncError):
        return None
