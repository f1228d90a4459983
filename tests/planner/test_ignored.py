"""`ignore: [state]`: somebody else says whether it runs; everything else of it is still ours."""

from dataclasses import replace

import pytest

from cloudsync.model.plan import Disruption
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import Traces
from cloudsync.model.step import UpdateInstance
from cloudsync.render.plan_text import text
from tests.laws.fleet import Fleet, decide
from tests.planner.build import SMALL, changed, cloud, instance
from tests.planner.test_changes import settled
from tests.planner.test_drift import meddle

ONE = cloud(instance("web", ignore=("state",)), hosts=("kvm-1",))


def power(fleet: Fleet) -> Power:
    (machine,) = fleet.hosts["kvm-1"].state.machines.values()
    return machine.power


@pytest.mark.parametrize("is_now", [Power.STOPPED, Power.PAUSED, Power.CRASHED])
def test_its_power_is_told_once_and_left_alone(is_now: Power) -> None:
    fleet = settled(ONE)
    meddle(fleet, lambda one: replace(one, power=is_now))
    made = decide(ONE, fleet.observe(ONE)).plan
    assert (made.empty, made.drift) == (True, ())
    assert made.notes == (f"instance.web: it is {is_now.value}, should be running: left alone, its state is ignored",)
    assert text(made, False).count("should be running") == 1


def test_other_drift_of_it_is_put_right_and_its_power_stays() -> None:
    fleet = settled(ONE)
    meddle(fleet, lambda one: replace(one, power=Power.STOPPED, vcpus=3, autostart=False))
    made = decide(ONE, fleet.observe(ONE)).plan
    assert [one.message for one in made.drift] == ["it does not start with the host", "vcpus: 3, should be 1"]
    assert made.changes[0].disruption is Disruption.NONE
    fleet.apply(made, ONE)
    assert (power(fleet), decide(ONE, fleet.observe(ONE)).plan.empty) == (Power.STOPPED, True)


def test_a_change_of_it_leaves_its_power_too() -> None:
    fleet = settled(ONE)
    meddle(fleet, lambda one: replace(one, power=Power.STOPPED))
    wider = changed(ONE, "web", flavor=replace(SMALL, vcpus=2))
    fleet.apply(decide(wider, fleet.observe(wider)).plan, wider)
    assert (power(fleet), decide(wider, fleet.observe(wider)).plan.empty) == (Power.STOPPED, True)


def test_what_libvirt_keeps_of_a_paused_one_is_put_right_and_it_stays_paused() -> None:
    fleet = settled(ONE)
    meddle(fleet, lambda one: replace(one, power=Power.PAUSED, traces=Traces(definition=("x is new",))))
    made = decide(ONE, fleet.observe(ONE)).plan
    assert [(step.live, step.instance.state) for step in made.steps if isinstance(step, UpdateInstance)] == [
        (True, Power.PAUSED)
    ]
    fleet.apply(made, ONE)
    assert (power(fleet), decide(ONE, fleet.observe(ONE)).plan.empty) == (Power.PAUSED, True)


def test_one_that_runs_against_the_spec_runs_on_through_a_restart() -> None:
    off = changed(ONE, "web", state=Power.STOPPED)
    fleet = settled(off)
    meddle(fleet, lambda one: replace(one, power=Power.RUNNING, vcpus=3))
    made = decide(off, fleet.observe(off)).plan
    assert made.changes[0].disruption is Disruption.RESTART
    fleet.apply(made, off)
    assert (power(fleet), decide(off, fleet.observe(off)).plan.empty) == (Power.RUNNING, True)


def test_a_change_of_the_specs_mind_counts() -> None:
    fleet = settled(ONE)
    off = changed(ONE, "web", state=Power.STOPPED)
    fleet.apply(decide(off, fleet.observe(off)).plan, off)
    assert power(fleet) is Power.STOPPED
    fleet.apply(decide(ONE, fleet.observe(ONE)).plan, ONE)
    assert power(fleet) is Power.RUNNING


def test_one_that_is_made_anew_runs() -> None:
    fleet = settled(ONE)
    meddle(fleet, lambda one: replace(one, power=Power.STOPPED))
    anew = replace(ONE, replaced=frozenset({"web"}))
    fleet.apply(decide(anew, fleet.observe(anew)).plan, anew)
    assert power(fleet) is Power.RUNNING


def test_one_that_was_never_started_is() -> None:
    fleet = settled(ONE)
    meddle(fleet, lambda one: replace(one, power=Power.STOPPED))
    fleet.hosts["kvm-1"].state = replace(fleet.hosts["kvm-1"].state, started=frozenset())
    fleet.apply(decide(ONE, fleet.observe(ONE)).plan, ONE)
    assert power(fleet) is Power.RUNNING
