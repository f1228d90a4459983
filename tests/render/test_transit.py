"""What `status` shows of an instance that two hosts know: one row, whatever moment of a move it is."""

from dataclasses import replace
from typing import Any

from cloudsync.model.cloud import Cloud
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import HostStatus, Snapshot
from cloudsync.model.step import MoveInstance
from cloudsync.render.status import document, text
from tests.planner.test_changes import plan
from tests.planner.test_moves import moved, pinned

LEFT = ": unless an apply is at it, this is left of an interrupted move, and the next apply puts it right"


def rows(cloud: Cloud, snapshot: Snapshot) -> list[tuple[Any, ...]]:
    told = document(cloud, snapshot)["instances"]
    found = [(row["host"], row["state"], row["problems"]) for row in told if row["name"] == "web"]
    lines = [line.split() for line in text(cloud, snapshot).splitlines() if line.startswith("web ")]
    assert [(line[2], line[1]) for line in lines] == [row[:2] for row in found]
    return found


def cut_off() -> tuple[Snapshot, Cloud, str]:
    """A move to kvm-2 that broke half-way, and the uuid of what moves."""
    fleet, goal = moved()
    made = plan(fleet, goal)
    step = next(one for one in made.steps if isinstance(one, MoveInstance))
    fleet.hosts["kvm-2"].breaks = step.id
    fleet.apply(made, goal)
    return fleet.observe(goal), goal, step.instance.uuid


def test_on_the_target_is_a_record_only() -> None:
    snapshot, goal, _ = cut_off()
    assert rows(goal, snapshot) == [("kvm-1", "running", ["moving to kvm-2" + LEFT])]


def test_on_the_target_it_is_paused() -> None:
    snapshot, goal, uuid = cut_off()
    arriving = replace(snapshot.hosts["kvm-1"].machines[uuid], power=Power.PAUSED)
    target = replace(snapshot.hosts["kvm-2"], machines={arriving.uuid: arriving})
    snapshot = Snapshot(hosts={**snapshot.hosts, "kvm-2": target})
    assert rows(goal, snapshot) == [("kvm-1", "running", ["moving to kvm-2"])]


def test_it_runs_on_the_target_and_the_source_has_its_record() -> None:
    fleet, goal = moved()
    before = fleet.observe(goal).hosts["kvm-1"].document
    fleet.apply(plan(fleet, goal), goal)
    after = fleet.observe(goal)
    snapshot = Snapshot(hosts={**after.hosts, "kvm-1": replace(after.hosts["kvm-1"], document=before)})
    assert rows(goal, snapshot) == [("kvm-2", "running", ["moving here from kvm-1" + LEFT])]
    assert rows(goal, after) == [("kvm-2", "running", [])]


def test_it_runs_on_both() -> None:
    snapshot, goal, _ = cut_off()
    target = replace(snapshot.hosts["kvm-2"], machines=snapshot.hosts["kvm-1"].machines)
    told = rows(goal, Snapshot(hosts={**snapshot.hosts, "kvm-2": target}))
    assert [row[:2] for row in told] == [("kvm-1", "running"), ("kvm-2", "running")]


def test_the_source_is_silent() -> None:
    snapshot, goal, _ = cut_off()
    silent = replace(snapshot.hosts["kvm-1"], status=HostStatus.UNREACHABLE, document=None, machines={})
    ((host, state, _),) = rows(goal, Snapshot(hosts={**snapshot.hosts, "kvm-1": silent}))
    assert (host, state) == ("kvm-1", "unknown")


def test_one_that_is_really_gone_is_missing() -> None:
    fleet, goal = moved()
    source = fleet.hosts["kvm-1"]
    source.state = replace(source.state, machines={})
    assert rows(pinned("kvm-1"), fleet.observe(goal)) == [("kvm-1", "missing", ["the machine is not there"])]
