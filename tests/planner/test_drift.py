"""What somebody else did to a host: told apart from changes, with its class, and put right by the next apply."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cloudsync.hosts.sim_state import SimState
from cloudsync.model.cloud import WantedNic
from cloudsync.model.plan import Action, Disruption
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import Drift, Machine, Snapshot
from cloudsync.model.step import PutDocument, UpdateInstance
from cloudsync.render.plan_json import summary
from cloudsync.render.plan_text import text
from tests.laws.fleet import Fleet, decide
from tests.laws.settled import assert_settled
from tests.planner.build import MIB, changed, cloud, instance, network, without
from tests.planner.test_changes import settled

ONE = cloud(instance("web"), hosts=("kvm-1",))


def meddle(fleet: Fleet, change: Callable[[Machine], Machine]) -> None:
    host = fleet.hosts["kvm-1"]
    state: SimState = host.state
    host.state = replace(state, machines={uuid: change(machine) for uuid, machine in state.machines.items()})


@pytest.mark.parametrize(
    ("change", "said", "disruption"),
    [
        (lambda one: replace(one, power=Power.STOPPED), "it is stopped, should be running", Disruption.NONE),
        (lambda one: replace(one, power=Power.PAUSED), "it is paused, should be running", Disruption.NONE),
        (lambda one: replace(one, power=Power.CRASHED), "it is crashed, should be running", Disruption.NONE),
        (lambda one: replace(one, memory=256 * MIB), "memory: 256 MiB, should be 512 MiB", Disruption.LIVE),
        (lambda one: replace(one, memory=1024 * MIB), "memory: 1 GiB, should be 512 MiB", Disruption.RESTART),
        (lambda one: replace(one, vcpus=3), "vcpus: 3, should be 1", Disruption.RESTART),
        (lambda one: replace(one, name="bew"), "its name: bew, should be web", Disruption.RESTART),
        (lambda one: replace(one, autostart=False), "does not start with the host", Disruption.NONE),
        (
            lambda one: replace(one, lost=(one.nics[0][0],)),
            "network card 1 has lost its tap, cs-",
            Disruption.RESTART,
        ),
        (lambda one: replace(one, gateways=("10.20.0.9",)), "its gateway: 10.20.0.9", Disruption.RESTART),
        (
            lambda one: replace(one, nics=((one.nics[0][0], "52:54:00:00:00:01", one.nics[0][2]),)),
            "00:01",
            Disruption.RESTART,
        ),
    ],
)
def test_a_machine_that_was_changed_is_set_back(
    change: Callable[[Machine], Machine], said: str, disruption: Disruption
) -> None:
    fleet = settled(ONE)
    meddle(fleet, change)
    made = decide(ONE, fleet.observe(ONE)).plan
    assert len(made.drift) == 1
    assert said in made.drift[0].message
    assert [(one.action, one.disruption) for one in made.changes] == [(Action.REPAIR, disruption)]
    fleet.apply(made, ONE)
    assert_settled(fleet, ONE)


@pytest.mark.parametrize(
    ("change", "remedy", "live"),
    [
        (lambda one: replace(one, autostart=False), "will be set back", [True]),
        (lambda one: replace(one, autostart=False, power=Power.PAUSED), "will be set back", []),
        (lambda one: replace(one, autostart=False, power=Power.STOPPED), "will be set back", []),
        (lambda one: replace(one, autostart=False, vcpus=3), "will be set back (restart)", [False]),
    ],
)
def test_one_that_only_does_not_start_with_its_host_runs_on(
    change: Callable[[Machine], Machine], remedy: str, live: list[bool]
) -> None:
    """One that does not run is started, and with its host from now on: nothing of it is written anew."""
    fleet = settled(ONE)
    meddle(fleet, change)
    made = decide(ONE, fleet.observe(ONE)).plan
    (told,) = (one for one in made.drift if one.message == "it does not start with the host")
    assert told.remedy == remedy
    assert [step.live for step in made.steps if isinstance(step, UpdateInstance)] == live
    fleet.apply(made, ONE)
    assert_settled(fleet, ONE)


def test_a_machine_that_is_gone_is_made_again() -> None:
    fleet = settled(ONE)
    fleet.hosts["kvm-1"].state = replace(fleet.hosts["kvm-1"].state, machines={}, disks={}, bases={})
    made = decide(ONE, fleet.observe(ONE)).plan
    assert "will be made from its image" in made.drift[0].remedy
    fleet.apply(made, ONE)
    assert_settled(fleet, ONE)


def test_what_an_apply_that_was_cut_off_recorded_and_never_made_is_no_drift() -> None:
    fleet = Fleet()
    fleet.apply(decide(ONE, fleet.observe(ONE)).plan, ONE, stop_after=1)
    document = fleet.hosts["kvm-1"].state.document
    assert document
    assert document.instances.keys() == {"web"}
    made = decide(ONE, fleet.observe(ONE)).plan
    assert made.drift == ()
    web = next(one for one in made.changes if one.address == "instance.web")
    assert (web.action, web.reasons) == (Action.CREATE, ("not finished by an earlier apply",))
    assert "+ instance.web  small, debian        → kvm-1  10.20.0." in text(made, False)
    assert "(not finished by an earlier apply)" in text(made, False)
    assert summary(made)["add"] == len(made.changes)
    fleet.apply(made, ONE)
    assert_settled(fleet, ONE)


def test_a_machine_that_was_made_and_never_started_is_no_drift() -> None:
    fleet = settled(ONE)
    meddle(fleet, lambda one: replace(one, power=Power.STOPPED))
    fleet.hosts["kvm-1"].state = replace(fleet.hosts["kvm-1"].state, started=frozenset())
    made = decide(ONE, fleet.observe(ONE)).plan
    assert made.drift == ()
    assert "state stopped → running" in text(made, False)
    assert "(not finished by an earlier apply)" in text(made, False)
    assert "1 to change" in text(made, False)
    fleet.apply(made, ONE)
    assert_settled(fleet, ONE)


def test_an_image_missing_under_a_machine_is_fetched() -> None:
    fleet = settled(ONE)
    fleet.hosts["kvm-1"].state = replace(fleet.hosts["kvm-1"].state, images={})
    made = decide(ONE, fleet.observe(ONE)).plan
    assert "image is missing under web" in made.drift[0].message
    assert [step.kind for step in made.steps] == ["put-image"]


def test_a_machine_of_ours_that_no_record_knows_is_taken_back_or_removed() -> None:
    fleet = settled(ONE)
    state = fleet.hosts["kvm-1"].state
    assert state.document
    fleet.hosts["kvm-1"].state = replace(state, document=replace(state.document, instances={}, directory={}))
    uuid = next(iter(state.machines))
    made = decide(ONE, fleet.observe(ONE))
    assert made.desired.instances["web"].uuid == uuid
    assert not made.plan.destroys
    nobody = without(ONE, "web")
    gone = decide(nobody, fleet.observe(nobody)).plan
    assert [(one.address, one.destroys_data) for one in gone.destroys] == [("instance.web", True)]
    fleet.apply(made.plan, ONE)
    assert_settled(fleet, ONE)


def test_a_disk_of_nobody_is_told_and_left_alone() -> None:
    fleet = settled(ONE)
    state = fleet.hosts["kvm-1"].state
    stray = "11111111-2222-4333-8444-555555555555"
    fleet.hosts["kvm-1"].state = replace(state, disks={**state.disks, stray: 1})
    made = decide(ONE, fleet.observe(ONE)).plan
    assert (made.steps, [one.remedy for one in made.drift]) == ((), ["left alone"])
    assert stray in made.drift[0].message


def test_a_running_machine_whose_disk_is_gone_is_not_touched() -> None:
    fleet = settled(ONE)
    fleet.hosts["kvm-1"].state = replace(fleet.hosts["kvm-1"].state, disks={}, bases={})
    made = decide(ONE, fleet.observe(ONE)).plan
    (found,) = made.drift
    assert (made.steps, found.repaired) == ((), False)
    assert found.remedy == "left alone; to make it anew: cloudsync apply --replace instance.web"


def test_it_is_made_anew_when_that_is_asked_for() -> None:
    fleet = settled(ONE)
    before = next(iter(fleet.machines()))
    fleet.hosts["kvm-1"].state = replace(fleet.hosts["kvm-1"].state, disks={}, bases={})
    asked = replace(ONE, replaced=frozenset({"web"}))
    made = decide(asked, fleet.observe(asked)).plan
    (found,) = made.changes
    assert (found.action, found.fields, found.reasons) == (Action.REPLACE, (), ("asked for by --replace",))
    assert (found.destroys_data, found.disruption) == (True, Disruption.DESTROYS_DATA)
    assert "REPLACE: destroys its disk (asked for by --replace)" in text(made, False)
    fleet.apply(made, asked)
    assert set(fleet.machines()) != {before}
    assert fleet.disks() == set(fleet.machines())
    assert_settled(fleet, ONE)


def test_what_an_agent_tells_is_restored_by_putting_the_document_again() -> None:
    fleet = settled(ONE)
    snapshot = fleet.observe(ONE)
    found = Drift(address="group.web", host="kvm-1", message="rule tcp/443 from any is missing")
    drifted = Snapshot(hosts={"kvm-1": replace(snapshot.hosts["kvm-1"], drift=(found,))})
    made = decide(ONE, drifted).plan
    assert made.drift == (found,)
    assert made.changes == ()
    put = made.steps[0]
    assert isinstance(put, PutDocument)
    assert len(made.steps) == 1
    before = fleet.hosts["kvm-1"].state.document
    assert before
    assert replace(put.document, generation=before.generation) == replace(before, user_data={})


def test_a_disk_of_no_instance_is_told_and_nothing_is_asked_for_it() -> None:
    fleet = settled(ONE)
    state = fleet.hosts["kvm-1"].state
    fleet.hosts["kvm-1"].state = replace(state, disks={**state.disks, "11111111-1111-4111-8111-111111111111": 1})
    made = decide(ONE, fleet.observe(ONE)).plan
    assert [(one.remedy, one.repaired) for one in made.drift] == [("left alone", False)]
    assert made.steps == ()
    assert summary(made)["drift"] == 0
    assert text(made, False).endswith("Nothing to do: what drifted is left alone.\n")


def test_an_image_that_only_began_to_come_in_goes_when_the_spec_does_not_name_it() -> None:
    fleet = settled(ONE)
    named, left = ONE.images["debian"].sha256, "cd" * 32
    snapshot = fleet.observe(ONE)
    host = replace(snapshot.hosts["kvm-1"], partial=frozenset({named, left}))
    made = decide(ONE, Snapshot(hosts={"kvm-1": host})).plan
    assert [(step.kind, getattr(step, "sha256", "")) for step in made.steps] == [("delete-image", left)]
    assert [one.reasons for one in made.changes] == [("it never arrived: what has come of it is removed",)]


def test_a_disk_that_is_bigger_than_wanted_is_told_and_left() -> None:
    fleet = settled(ONE)
    meddle(fleet, lambda one: replace(one, disk=40 << 30))
    made = decide(ONE, fleet.observe(ONE)).plan
    assert [(one.message, one.repaired) for one in made.drift] == [("its disk: 40 GiB, should be 4 GiB", False)]
    assert made.steps == ()


def test_a_change_of_network_is_no_drift() -> None:
    both = {"default": network(), "other": network("10.40.0.0/24", "10.40.0.1", "other")}
    there = cloud(instance("web", nics=(WantedNic(network="other"),)), hosts=("kvm-1",), networks=both)
    fleet = settled(there)
    made = decide(changed(there, "web", nics=(WantedNic(network="default"),)), fleet.observe(there)).plan
    assert made.drift == ()
