"""What somebody else's hand left on a machine: told with what it takes to set it back, or left alone where data is."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cloudsync.hosts.sim_state import Foreign
from cloudsync.model.plan import Action, Disruption
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import Machine, Snapshot, Traces
from cloudsync.model.step import UpdateInstance
from tests.laws.fleet import Fleet, decide
from tests.laws.settled import assert_settled
from tests.planner.build import LARGE, MIB, SMALL, changed, instance, without
from tests.planner.test_changes import refused, settled
from tests.planner.test_drift import ONE, meddle

EDITED, OTHER = Traces(definition=("x is new",)), Traces(running=("x is new",))


@pytest.mark.parametrize(
    ("change", "said", "remedy", "disruption", "live"),
    [
        (lambda one: replace(one, traces=EDITED), "was changed: x", "will be set back", Disruption.NONE, True),
        (lambda one: replace(one, traces=OTHER), "has not: x", "will be set back (restart)", Disruption.RESTART, False),
        (
            lambda one: replace(one, traces=replace(EDITED, running=EDITED.definition)),
            "and it runs so: x",
            "will be set back (restart)",
            Disruption.RESTART,
            False,
        ),
        (
            lambda one: replace(one, traces=Traces(undefined=True), autostart=False),
            "it was undefined",
            "will be set back",
            Disruption.NONE,
            True,
        ),
    ],
)
def test_a_definition_that_was_changed_is_set_back_with_no_more_than_it_takes(
    change: Callable[[Machine], Machine], said: str, remedy: str, disruption: Disruption, live: bool
) -> None:
    fleet = settled(ONE)
    meddle(fleet, change)
    made = decide(ONE, fleet.observe(ONE)).plan
    (told,) = made.drift
    assert said in told.message
    assert told.remedy == remedy
    assert [one.disruption for one in made.changes] == [disruption]
    assert [step.live for step in made.steps if isinstance(step, UpdateInstance)] == [live]
    fleet.apply(made, ONE)
    assert_settled(fleet, ONE)


def test_one_that_is_off_is_defined_anew_without_a_restart() -> None:
    off = changed(ONE, "web", state=Power.STOPPED)
    fleet = settled(off)
    meddle(fleet, lambda one: replace(one, traces=EDITED))
    made = decide(off, fleet.observe(off)).plan
    assert ([one.remedy for one in made.drift], made.changes[0].disruption) == (["will be set back"], Disruption.NONE)
    fleet.apply(made, off)
    assert_settled(fleet, off)


def test_one_whose_memory_was_saved_goes_on_unless_it_has_to_be_written_anew() -> None:
    fleet = settled(ONE)
    saved = Traces(saved=True)
    meddle(fleet, lambda one: replace(one, power=Power.STOPPED, traces=saved))
    made = decide(ONE, fleet.observe(ONE)).plan
    assert [(one.message, one.remedy) for one in made.drift] == [
        ("it is stopped (its memory was saved), should be running", "will go on where it was")
    ]
    assert made.changes[0].disruption is Disruption.NONE
    grown = changed(ONE, "web", flavor=replace(SMALL, memory=1024 * MIB))
    made = decide(grown, fleet.observe(grown)).plan
    (web,) = (one for one in made.changes if one.address == "instance.web")
    assert web.disruption is Disruption.RESTART
    fleet.apply(made, grown)
    assert_settled(fleet, grown)


@pytest.mark.parametrize(
    ("traces", "remedy"),
    [
        (Traces(disk="/srv/snap.qcow2"), "virsh blockcommit web vda --shallow --active --pivot"),
        (Traces(snapshots=True), "neither be renamed nor move"),
    ],
)
def test_what_would_lose_data_is_told_and_left_alone(traces: Traces, remedy: str) -> None:
    fleet = settled(ONE)
    meddle(fleet, lambda one: replace(one, traces=traces))
    made = decide(ONE, fleet.observe(ONE)).plan
    (told,) = made.drift
    assert (made.steps, told.repaired) == ((), False)
    assert remedy in told.remedy


def test_nothing_else_of_a_machine_on_another_disk_is_touched() -> None:
    fleet = settled(ONE)
    meddle(fleet, lambda one: replace(one, power=Power.STOPPED, vcpus=3, traces=Traces(disk="/srv/snap.qcow2")))
    made = decide(ONE, fleet.observe(ONE)).plan
    assert made.steps == ()
    assert len(made.drift) == 3
    assert all(one.remedy.startswith("left alone") for one in made.drift)
    assert sum(one.remedy == "left alone until its disks are as they should be" for one in made.drift) == 2


def test_why_a_machine_does_not_run_is_told() -> None:
    fleet = settled(ONE)
    meddle(fleet, lambda one: replace(one, power=Power.STOPPED, traces=Traces(why="QEMU ended by itself")))
    (told,) = decide(ONE, fleet.observe(ONE)).plan.drift
    assert told.message == "it is stopped (QEMU ended by itself), should be running"


def test_a_copy_of_a_machine_is_told_and_left_alone() -> None:
    fleet = settled(ONE)
    snapshot = fleet.observe(ONE)
    copied = Snapshot(hosts={"kvm-1": replace(snapshot.hosts["kvm-1"], marked={"clone": "web"})})
    made = decide(ONE, copied).plan
    (told,) = made.drift
    assert (made.steps, told.repaired) == ((), False)
    assert told.message == "the machine clone is a copy of web, with this cloud's mark"


def test_what_runs_with_our_mark_and_nothing_else_of_ours_is_left_alone() -> None:
    """All that it holds may be in its memory."""
    fleet = settled(ONE)
    state = fleet.hosts["kvm-1"].state
    (web,) = state.machines.values()
    other = replace(web, uuid="11111111-2222-4333-8444-555555555555", name="mine", nics=())
    fleet.hosts["kvm-1"].state = replace(state, machines={web.uuid: web, other.uuid: other})
    made = decide(ONE, fleet.observe(ONE)).plan
    assert (made.steps, [one.repaired for one in made.drift]) == ((), [False])
    assert "virsh destroy mine" in made.drift[0].remedy
    off = replace(other, power=Power.STOPPED)
    fleet.hosts["kvm-1"].state = replace(state, machines={web.uuid: web, other.uuid: off})
    made = decide(ONE, fleet.observe(ONE)).plan
    assert [(one.address, one.action) for one in made.changes] == [("instance.mine", Action.DELETE)]
    fleet.apply(made, ONE)
    assert_settled(fleet, ONE)


def with_stranger(fleet: Fleet, name: str) -> Fleet:
    """Somebody else's machine on the only host."""
    host = fleet.hosts["kvm-1"]
    host.state = replace(host.state, foreign=(Foreign(name=name),))
    return fleet


def without_machine(fleet: Fleet) -> Fleet:
    host = fleet.hosts["kvm-1"]
    host.state = replace(host.state, machines={})
    return fleet


HAS_ONE = "host.kvm-1 has a machine called {} that is not ours"


def test_what_lives_cannot_be_made_again_under_the_name_of_a_stranger() -> None:
    fleet = with_stranger(without_machine(settled(ONE)), "web")
    for wanted in (ONE, replace(ONE, replaced=frozenset({"web"})), changed(ONE, "web", flavor=LARGE)):
        assert refused(fleet, wanted) == f"instance.web cannot be made there: {HAS_ONE.format('web')}"
    paused = replace(ONE, paused=frozenset({"web"}))
    assert decide(paused, fleet.observe(paused)).plan.steps == ()
    nothing = without(ONE, "web")
    assert not fleet.apply(decide(nothing, fleet.observe(nothing)).plan, nothing).failed, fleet.failures


def test_what_runs_cannot_take_the_name_of_a_stranger() -> None:
    fleet = with_stranger(settled(ONE), "db")
    renamed = replace(without(ONE, "web"), instances={"db": instance("db", was=("web",))})
    assert refused(fleet, renamed) == f"instance.db cannot take that name: {HAS_ONE.format('db')}"
    assert decide(ONE, fleet.observe(ONE)).plan.empty
