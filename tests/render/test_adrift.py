"""`status` tells of every machine what the plan tells of it: in both forms, and from the same observation."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cloudsync.hosts.sim_state import SimState
from cloudsync.model.cloud import Cloud
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import Machine, Traces
from cloudsync.planner.adrift import SPARED, at_rest
from cloudsync.render.status import document, text
from tests.laws.fleet import Fleet, decide
from tests.planner.build import MIB, changed
from tests.planner.test_changes import settled
from tests.planner.test_drift import ONE, meddle


def told(fleet: Fleet, cloud: Cloud) -> tuple[list[str], list[dict[str, str]]]:
    """The problems of the only instance and the drift of its host, which the text has too."""
    snapshot = fleet.observe(cloud)
    found = document(cloud, snapshot)
    (row,), (host,) = found["instances"], found["hosts"]
    shown = text(cloud, snapshot)
    for one in host["drift"]:
        assert f"  ! {one['address']}  kvm-1: {one['message']}  ({one['remedy']})" in shown
    assert all(problem in shown for problem in row["problems"])
    return row["problems"], host["drift"]


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, power=Power.STOPPED),
        lambda one: replace(one, autostart=False),
        lambda one: replace(one, vcpus=3, memory=256 * MIB),
        lambda one: replace(one, name="bew"),
        lambda one: replace(one, nics=()),
        lambda one: replace(one, gateways=("10.20.0.9",)),
        lambda one: replace(one, traces=Traces(definition=("x is new",))),
        lambda one: replace(one, traces=Traces(undefined=True)),
        lambda one: replace(one, traces=Traces(disk="/srv/snap.qcow2")),
        lambda one: replace(one, traces=Traces(snapshots=True)),
    ],
)
def test_what_the_plan_says_of_a_machine_is_a_problem_of_it(change: Callable[[Machine], Machine]) -> None:
    fleet = settled(ONE)
    assert told(fleet, ONE) == ([], [])
    meddle(fleet, change)
    plan = decide(ONE, fleet.observe(ONE)).plan
    problems, drift = told(fleet, ONE)
    assert problems == [one.message for one in plan.drift] != []
    assert drift == [{"address": one.address, "message": one.message, "remedy": one.remedy} for one in plan.drift]


def columns(fleet: Fleet, cloud: Cloud) -> tuple[str, str]:
    """What stands under BOOT and under REMARKS in the only instance's line."""
    lines = text(cloud, fleet.observe(cloud)).splitlines()
    head = next(line for line in lines if line.startswith("INSTANCE "))
    row = next(line for line in lines if line.startswith("web "))
    boot, remarks = head.index("BOOT"), head.index("REMARKS")
    return row[boot:remarks].strip(), row[remarks:].strip()


@pytest.mark.parametrize(
    ("change", "boot", "remark"),
    [
        (lambda one: one, "done", ""),
        (lambda one: replace(one, vcpus=3), "done", "vcpus: 3, should be 1"),
        (lambda one: replace(one, power=Power.STOPPED), "", "it is stopped, should be running"),
    ],
)
def test_what_drifted_is_told_beside_the_boot(change: Callable[[Machine], Machine], boot: str, remark: str) -> None:
    fleet = settled(ONE)
    meddle(fleet, change)
    assert columns(fleet, ONE) == (boot, remark)


def test_what_is_not_there_has_no_boot() -> None:
    fleet = settled(ONE)
    spoil(fleet, lambda state: replace(state, machines={}))
    assert columns(fleet, ONE) == ("", "the machine is not there")
    assert columns(fleet, replace(ONE, paused=frozenset({"web"})))[1].endswith("; left alone: paused")


def spoil(fleet: Fleet, change: Callable[[SimState], SimState]) -> None:
    host = fleet.hosts["kvm-1"]
    host.state = change(host.state)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: replace(state, disks={}), "its disk is gone"),
        (lambda state: replace(state, machines={}), "the machine is not there"),
        (lambda state: replace(state, images={}), "an image is missing under web"),
    ],
)
def test_what_is_gone_is_told_with_what_the_plan_does_about_it(
    change: Callable[[SimState], SimState], said: str
) -> None:
    fleet = settled(ONE)
    spoil(fleet, change)
    plan = decide(ONE, fleet.observe(ONE)).plan
    drift = told(fleet, ONE)[1]
    assert drift == [{"address": one.address, "message": one.message, "remedy": one.remedy} for one in plan.drift]
    assert any(said in one["message"] for one in drift)


def test_a_machine_without_a_record_is_told() -> None:
    fleet = settled(ONE)
    there = fleet.hosts["kvm-1"].state.document
    assert there is not None
    spoil(fleet, lambda state: replace(state, document=replace(there, instances={})))
    found = document(ONE, fleet.observe(ONE))["hosts"][0]["drift"]
    assert found == [{"address": "instance.web", "message": "its record is missing", "remedy": "will be restored"}]


def test_what_only_the_spec_changed_is_no_drift() -> None:
    fleet = settled(ONE)
    assert told(fleet, changed(ONE, "web", state=Power.STOPPED)) == ([], [])


def test_what_is_paused_says_so_and_is_told_as_left_alone() -> None:
    fleet, paused = settled(ONE), replace(ONE, paused=frozenset({"web"}))
    meddle(fleet, lambda one: replace(one, autostart=False))
    snapshot = fleet.observe(paused)
    found = document(paused, snapshot)
    assert [row["paused"] for row in found["instances"]] == [True]
    assert [row["paused"] for row in document(ONE, snapshot)["instances"]] == [False]
    assert [one["remedy"] for one in found["hosts"][0]["drift"]] == [SPARED]
    assert "it does not start with the host; left alone: paused" in text(paused, snapshot)
    assert (at_rest(replace(ONE, paused=frozenset({"n"})), "n-3"), at_rest(paused, "n-3")) == (True, False)


def test_a_state_that_is_ignored_and_one_that_an_apply_never_reached_are_no_drift() -> None:
    ignoring = changed(ONE, "web", ignore=("state",))
    fleet = settled(ignoring)
    meddle(fleet, lambda one: replace(one, power=Power.STOPPED))
    assert told(fleet, ignoring) == (["it is stopped, should be running: its state is ignored"], [])
    spoil(fleet, lambda state: replace(state, started=frozenset()))
    assert told(fleet, ignoring) == (["it is stopped, should be running: not finished by an earlier apply"], [])
