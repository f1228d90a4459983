"""Whether a machine starts with its host: what the spec wants to run does, and what is to be stopped stays so."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cloudsync.hosts.sim_state import perform
from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Action, Disruption
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import HostStatus, Machine, Traces, Usage
from cloudsync.model.step import MoveInstance, StartInstance, StopInstance, UpdateInstance
from tests.laws.fleet import Fleet, decide
from tests.laws.settled import assert_settled
from tests.planner.build import SMALL, changed, cloud, instance
from tests.planner.test_changes import settled
from tests.planner.test_drift import meddle

ON = cloud(instance("web"), hosts=("kvm-1",))
OFF = changed(ON, "web", state=Power.STOPPED)
STARTS = "it is to stay stopped, and starts with the host"


def machine(fleet: Fleet) -> Machine:
    (found,) = (one for host in fleet.hosts.values() for one in host.state.machines.values())
    return found


def left(fleet: Fleet) -> tuple[Power, bool]:
    return machine(fleet).power, machine(fleet).autostart


@pytest.mark.parametrize(("spec", "goal"), [(ON, (Power.RUNNING, True)), (OFF, (Power.STOPPED, False))])
def test_one_that_is_made_starts_with_its_host_where_it_is_to_run(spec: Cloud, goal: tuple[Power, bool]) -> None:
    assert left(settled(spec)) == goal


def test_it_changes_with_the_specs_mind_and_nothing_is_written_anew() -> None:
    fleet = settled(ON)
    for spec, goal in ((OFF, (Power.STOPPED, False)), (ON, (Power.RUNNING, True))):
        made = decide(spec, fleet.observe(spec)).plan
        assert made.drift == ()
        assert not any(isinstance(step, UpdateInstance) for step in made.steps)
        fleet.apply(made, spec)
        assert left(fleet) == goal
        assert_settled(fleet, spec)


@pytest.mark.parametrize(
    ("change", "told", "disruption"),
    [
        (lambda one: replace(one, autostart=True), [(STARTS, "will be set back")], Disruption.NONE),
        (
            lambda one: replace(one, autostart=True, power=Power.RUNNING),
            [(STARTS, "will be set back"), ("it is running, should be stopped", "will be stopped")],
            Disruption.RESTART,
        ),
    ],
)
def test_one_that_is_to_be_stopped_and_starts_with_its_host_is_drift(
    change: Callable[[Machine], Machine], told: list[tuple[str, str]], disruption: Disruption
) -> None:
    """Also of one that an older version made, and that its host's boot started."""
    fleet = settled(OFF)
    meddle(fleet, change)
    made = decide(OFF, fleet.observe(OFF)).plan
    assert sorted((one.message, one.remedy) for one in made.drift) == sorted(told)
    assert [(one.action, one.disruption) for one in made.changes] == [(Action.REPAIR, disruption)]
    fleet.apply(made, OFF)
    assert_settled(fleet, OFF)


def test_what_was_saved_of_it_stays_where_it_is_put_right() -> None:
    fleet = settled(OFF)
    meddle(fleet, lambda one: replace(one, autostart=True, traces=Traces(saved=True)))
    made = decide(OFF, fleet.observe(OFF)).plan
    assert [one.disruption for one in made.changes] == [Disruption.NONE]
    fleet.apply(made, OFF)
    assert (left(fleet), machine(fleet).traces.saved) == ((Power.STOPPED, False), True)
    assert not decide(OFF, fleet.observe(OFF)).plan.steps


def test_the_spec_that_follows_a_stop_by_hand_disturbs_nothing() -> None:
    fleet = settled(ON)
    meddle(fleet, lambda one: replace(one, power=Power.STOPPED))
    made = decide(OFF, fleet.observe(OFF)).plan
    assert (made.drift, [one.disruption for one in made.changes]) == ((), [Disruption.NONE])
    fleet.apply(made, OFF)
    assert_settled(fleet, OFF)


@pytest.mark.parametrize("spec", [ON, OFF])
def test_what_is_switched_by_hand_leaves_it_as_it_is(spec: Cloud) -> None:
    fleet = settled(spec)
    before, uuid = machine(fleet).autostart, machine(fleet).uuid
    for step in (
        StopInstance(id="stop", host="kvm-1", address="instance.web", uuid=uuid),
        StartInstance(id="start", host="kvm-1", address="instance.web", uuid=uuid),
    ):
        fleet.hosts["kvm-1"].state = perform(fleet.hosts["kvm-1"].state, step, Usage())
        assert machine(fleet).autostart is before


@pytest.mark.parametrize("spec", [ON, OFF])
@pytest.mark.parametrize("power", [Power.RUNNING, Power.STOPPED])
def test_it_follows_the_spec_where_its_power_is_for_others_to_say(spec: Cloud, power: Power) -> None:
    one = changed(spec, "web", ignore=("state",))
    fleet = settled(one)
    goal = machine(fleet).autostart
    for wanted in (one, changed(one, "web", flavor=replace(SMALL, vcpus=2))):
        meddle(fleet, lambda there: replace(there, power=power, autostart=not goal))
        made = decide(wanted, fleet.observe(wanted)).plan
        if wanted is one:
            assert [change.disruption for change in made.changes] == [Disruption.NONE]
        fleet.apply(made, wanted)
        assert left(fleet) == (power, goal)
        assert_settled(fleet, wanted)


@pytest.mark.parametrize("power", [Power.RUNNING, Power.STOPPED])
def test_one_that_moves_starts_with_the_other_host_as_the_spec_says(power: Power) -> None:
    two = cloud(instance("web", state=power))
    fleet = settled(two)
    (home,) = fleet.machines().values()
    drained = replace(two, hosts={**two.hosts, home: replace(two.hosts[home], state=HostStatus.DRAINED)})
    made = decide(drained, fleet.observe(drained)).plan
    assert [step.live for step in made.steps if isinstance(step, MoveInstance)] == [power is Power.RUNNING]
    fleet.apply(made, drained)
    assert left(fleet) == (power, power is Power.RUNNING)
    assert_settled(fleet, drained)
