"""A host goes away and comes back: unknown is not empty, what is given up is made anew once, and its copies rest."""

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import assume, given

from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Plan
from cloudsync.model.problem import CloudsyncError, SpecError
from cloudsync.model.resources import Power
from cloudsync.model.step import CreateInstance, DeleteInstance, PutDocument, StopInstance
from tests.laws.fleet import Fleet, decide
from tests.laws.journey import reach, without_unplaced
from tests.laws.many import law
from tests.laws.settled import assert_settled
from tests.laws.worlds import journeys


def unplugged(start: Cloud, which: int) -> tuple[Fleet, Cloud, str]:
    """`start` reached, and then a host of it silent while another still answers."""
    assume(len(start.hosts) > 1)
    fleet = Fleet()
    there = reach(fleet, start)
    host = sorted(there.hosts)[which % len(there.hosts)]
    fleet.unplug(host)
    return fleet, there, host


def planned(fleet: Fleet, cloud: Cloud) -> Plan | None:
    """None where the change is one that is refused."""
    try:
        return decide(cloud, fleet.observe(cloud)).plan
    except SpecError:
        return None


@law
@given(journeys(2), st.integers(0, 2))
def test_what_lives_on_a_silent_host_is_left_alone(stops: tuple[Cloud, ...], which: int) -> None:
    """Nothing of it is made elsewhere, and nobody gets its addresses, whatever the spec says now."""
    start, goal = stops
    fleet, there, silent = unplugged(start, which)
    assume(set(goal.hosts) == set(there.hosts))
    document = fleet.hosts[silent].state.document
    away = document.instances if document else {}
    plan = planned(fleet, goal)
    assume(plan is not None)
    assert plan
    assert silent not in {step.host for step in plan.steps}
    made = [step.instance for step in plan.steps if isinstance(step, CreateInstance)]
    assert not {one.name for one in made} & away.keys()
    held = {nic.address for one in away.values() for nic in one.nics}
    assert not held & {nic.address for one in made for nic in one.nics}
    for step in plan.steps:
        if isinstance(step, PutDocument):
            assert away.keys() <= step.document.directory.keys()
    fleet.apply(plan, without_unplaced(goal, plan))
    fleet.plug_in(silent)
    assert_settled(fleet, reach(fleet, goal))


@law
@given(journeys(1), st.integers(0, 2))
def test_with_a_host_silent_a_settled_cloud_is_quiet(stops: tuple[Cloud, ...], which: int) -> None:
    fleet, there, silent = unplugged(stops[0], which)
    plan = decide(there, fleet.observe(there)).plan
    assert plan.empty, (plan.changes, plan.steps)
    fleet.plug_in(silent)
    assert_settled(fleet, there)


@law
@given(journeys(2), st.integers(0, 2))
def test_what_left_the_spec_with_its_host_is_not_forgotten(stops: tuple[Cloud, ...], which: int) -> None:
    """Unknown is not empty: its names and addresses are held until its host is back."""
    start, goal = stops
    fleet, there, silent = unplugged(start, which)
    document = fleet.hosts[silent].state.document
    away = document.instances if document else {}
    wanted = {name: one for name, one in goal.instances.items() if one.where.host != silent}
    less = {name: host for name, host in there.hosts.items() if name != silent}
    without = replace(goal, hosts=less, instances={name: one for name, one in wanted.items() if name not in away})
    for cloud in (without, replace(without, instances=wanted)):
        plan = planned(fleet, cloud)
        assume(plan is not None)
        assert plan
        made = [step.instance for step in plan.steps if isinstance(step, CreateInstance)]
        assert not {one.name for one in made} & away.keys()
        assert not {nic.address for one in away.values() for nic in one.nics} & {
            nic.address for one in made for nic in one.nics
        }
        for step in plan.steps:
            if isinstance(step, PutDocument):
                assert away.keys() <= step.document.directory.keys()
        assert not away or any(f"host.{silent} is not in the spec any more" in warning for warning in plan.warnings)
        fleet.apply(plan, without_unplaced(cloud, plan))
    fleet.plug_in(silent)
    back = replace(goal, hosts=there.hosts)
    assert_settled(fleet, reach(fleet, back))


def evacuating(start: Cloud, which: int) -> tuple[Fleet, Cloud, str, Plan]:
    """A host given up, less what has no place elsewhere."""
    fleet, there, silent = unplugged(start, which)
    lost = replace(there, evacuate=(silent,))
    try:
        lost = without_unplaced(lost, decide(lost, fleet.observe(lost)).plan)
        plan = decide(lost, fleet.observe(lost)).plan
    except CloudsyncError:
        assume(False)
        raise
    assume(not plan.unplaced)
    return fleet, lost, silent, plan


def recorded(fleet: Fleet, host: str) -> dict[str, str]:
    """UUIDs by name."""
    document = fleet.hosts[host].state.document
    return {name: one.uuid for name, one in document.instances.items()} if document else {}


@law
@given(journeys(1), st.integers(0, 2))
def test_what_is_given_up_is_made_anew_and_its_copies_rest(stops: tuple[Cloud, ...], which: int) -> None:
    fleet, lost, silent, plan = evacuating(stops[0], which)
    before = recorded(fleet, silent)
    assert {change.address for change in plan.destroys} == {f"instance.{name}" for name in before}
    assert not fleet.apply(plan, lost).failed, fleet.failures
    there = replace(lost, evacuate=())
    assert decide(there, fleet.observe(there)).plan.empty
    fleet.plug_in(silent)
    _returned(fleet, there, silent, set(before.values()))


@law
@given(journeys(1), st.integers(0, 2), st.sampled_from((1, 2, 0, 4)))
def test_an_evacuation_that_was_cut_off_is_finished_by_any_apply(
    stops: tuple[Cloud, ...], which: int, cut: int
) -> None:
    """One document that names what was given up is enough, though the others still say that it lives."""
    fleet, lost, silent, plan = evacuating(stops[0], which)
    before = recorded(fleet, silent)
    fleet.apply(plan, lost, stop_after=cut)
    there = replace(lost, evacuate=())
    documents = [fleet.hosts[name].state.document for name in there.hosts if name != silent]
    known = any(document.given_up for document in documents if document)
    plan = decide(there, fleet.observe(there)).plan
    assert not fleet.apply(plan, there).failed, fleet.failures
    assert decide(there, fleet.observe(there)).plan.empty
    fleet.plug_in(silent)
    if known or not before:
        _returned(fleet, there, silent, set(before.values()))
    else:
        assert_settled(fleet, reach(fleet, there))


def _returned(fleet: Fleet, cloud: Cloud, silent: str, uuids: set[str]) -> None:
    plan = decide(cloud, fleet.observe(cloud)).plan
    stops = {step.id for step in plan.steps if isinstance(step, StopInstance)}
    assert not plan.destroys
    assert all(stops <= set(step.waits_for) for step in plan.steps if step.id not in stops)
    assert not fleet.apply(plan, cloud).failed, fleet.failures
    rest = fleet.hosts[silent].state.machines
    assert all(rest[uuid].power is Power.STOPPED and not rest[uuid].autostart for uuid in uuids & rest.keys())
    assert uuids <= fleet.disks()
    assert decide(cloud, fleet.observe(cloud)).plan.empty
    if not uuids:
        return
    last = replace(cloud, evacuate=(silent,))
    plan = decide(last, fleet.observe(last)).plan
    assert {step.uuid for step in plan.steps if isinstance(step, DeleteInstance)} == uuids
    assert not fleet.apply(plan, last).failed, fleet.failures
    assert_settled(fleet, cloud)
    documents = [host.state.document for host in fleet.hosts.values() if host.state.document]
    assert not any(document.given_up for document in documents)
