"""Data disks that are not where they should be, and those that change their host."""

from dataclasses import replace

from cloudsync.model.cloud import Cloud, Host, WantedDisk, Where
from cloudsync.model.plan import Action, Disruption
from cloudsync.model.snapshot import Usage
from cloudsync.model.step import PutDocument
from tests.planner.build import GIB, LARGE, changed
from tests.planner.cases import settled
from tests.planner.disks import (
    BOTH,
    DATA,
    LOGS,
    ONE,
    TWO,
    applied,
    drifted,
    ids,
    of_instance,
    plan_of,
    refused,
)


def test_a_disk_whose_file_is_gone_is_told_and_never_made_anew() -> None:
    fleet = settled(TWO)
    gone = ids(fleet)["data"]
    state = fleet.hosts["kvm-1"].state
    fleet.hosts["kvm-1"].state = replace(state, data={one: d for one, d in state.data.items() if one != gone})
    plan = plan_of(fleet, TWO)
    assert [(one.message, one.repaired) for one in plan.drift] == [(f"its disk data is gone: {gone}.data.qcow2", False)]
    assert not plan.steps
    larger = plan_of(fleet, changed(TWO, "db", flavor=LARGE))
    assert {type(step) for step in larger.steps} == {PutDocument}
    more = changed(TWO, "db", disks=(*BOTH, WantedDisk(name="more", size=GIB)))
    assert "is gone from host.kvm-1" in refused(fleet, more)
    assert "is gone from host.kvm-1" in refused(fleet, replace(TWO, replaced=frozenset({"db"})))
    applied(fleet, changed(TWO, "db", disks=(LOGS,)))


def test_without_machine_nothing_is_made_of_a_disk_that_is_gone() -> None:
    fleet = settled(ONE)
    fleet.hosts["kvm-1"].state = replace(fleet.hosts["kvm-1"].state, machines={}, data={})
    assert "put the file back" in refused(fleet, ONE)


def test_one_that_somebody_detached_is_attached_again_as_it_runs() -> None:
    fleet = settled(ONE)
    drifted(fleet, attached=frozenset())
    plan = applied(fleet, ONE)
    assert [(one.message, one.remedy) for one in plan.drift] == [
        ("its disk data is not attached", "will be attached again (live)")
    ]
    (change,) = of_instance(plan)
    assert (change.action, change.disruption) == (Action.REPAIR, Disruption.LIVE)


def test_strange_and_stray_disks_are_told_and_left_alone() -> None:
    fleet = settled(ONE)
    stray = "0b0c1f6e-52d4-4a3f-9c1e-0d5b8a2f0000"
    drifted(fleet, strange=("vdc /srv/x.img",))
    state = fleet.hosts["kvm-1"].state
    fleet.hosts["kvm-1"].state = replace(state, data={**state.data, stray: next(iter(state.data.values()))})
    plan = plan_of(fleet, ONE)
    assert [(one.address, one.message, one.repaired) for one in plan.drift] == [
        ("host.kvm-1", f"a data disk of no instance is in the pool: {stray}.data.qcow2", False),
        ("instance.db", "a disk that is not its own is attached: vdc /srv/x.img", False),
    ]
    assert plan.drift[1].remedy.endswith("on its host: virsh detach-disk db vdc --persistent")
    assert not plan.steps


def test_without_a_record_the_mark_tells_which_disks_are_its() -> None:
    fleet = settled(ONE)
    again = replace(ONE, replaced=frozenset({"db"}))
    fleet.apply(plan_of(fleet, again), again)
    made = fleet.data()
    fleet.hosts["kvm-1"].state = replace(fleet.hosts["kvm-1"].state, document=None)
    applied(fleet, ONE)
    assert fleet.data() == made
    assert ids(fleet)["data"] in made


def on(where: str, **fields: object) -> Cloud:
    whole = changed(TWO, "db", where=Where(host=where), **fields)
    hosts = {
        name: Host(name=name, uri="sim:", reserved=Usage(), address=f"198.51.100.{at}")
        for at, name in enumerate(("kvm-1", "kvm-2"), 1)
    }
    return replace(whole, hosts=hosts)


def test_disks_move_with_their_instance_and_nothing_stays_behind() -> None:
    fleet = settled(on("kvm-1"))
    made = fleet.data()
    plan = applied(fleet, on("kvm-2"))
    assert [change.disruption for change in of_instance(plan)] == [Disruption.MIGRATE]
    assert fleet.data() == made
    assert fleet.hosts["kvm-1"].state.data == {}


def test_one_that_goes_is_removed_before_the_rest_moves() -> None:
    fleet = settled(on("kvm-1"))
    plan = applied(fleet, on("kvm-2", disks=(DATA,)))
    assert [(change.disruption, change.disks) for change in of_instance(plan)] == [
        (Disruption.MIGRATE, ()),
        (Disruption.DESTROYS_DATA, ("logs",)),
    ]
    assert [len(host.state.data) for host in fleet.hosts.values()] == [0, 1, 0]


def test_made_anew_elsewhere_it_would_leave_its_disks_behind() -> None:
    fleet = settled(on("kvm-1"))
    said = refused(fleet, replace(on("kvm-2"), replaced=frozenset({"db"})))
    assert "its data disks are on host.kvm-1" in said


def test_an_evacuation_names_the_disks_that_are_lost_and_its_end_removes_their_copies() -> None:
    fleet = settled(on("kvm-1"))
    fleet.unplug("kvm-1")
    lost = replace(on("kvm-1"), evacuate=("kvm-1",))
    lost = changed(lost, "db", where=Where())
    plan = plan_of(fleet, lost)
    (change,) = plan.destroys
    assert change.disks == ("root", "data", "logs")
    assert "(root, data, logs)" in change.reasons[0]
    assert not fleet.apply(plan, lost).failed, fleet.failures
    fleet.plug_in("kvm-1")
    there = replace(lost, evacuate=())
    assert not fleet.apply(plan_of(fleet, there), there).failed
    assert len(fleet.hosts["kvm-1"].state.data) == len(fleet.hosts["kvm-2"].state.data) == 2
    plan = plan_of(fleet, lost)
    assert [change.disks for change in plan.destroys] == [("root", "data", "logs")]
    assert not fleet.apply(plan, lost).failed
    assert fleet.hosts["kvm-1"].state.data == {}
