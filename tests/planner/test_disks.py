"""Data disks: what a plan says and does of them, and what it never does."""

from dataclasses import replace

import pytest

from cloudsync.model.cloud import WantedDisk
from cloudsync.model.plan import Action, Disruption
from cloudsync.model.resources import DataDisk, Power
from cloudsync.model.step import CreateInstance, DeleteDisk, DeleteInstance, PutDocument, UpdateInstance
from cloudsync.render.plan_json import summary
from cloudsync.render.plan_text import text
from tests.laws.fleet import Fleet, decide
from tests.planner.build import GIB, LARGE, changed, image, without
from tests.planner.cases import settled
from tests.planner.disks import (
    BOTH,
    DATA,
    LOGS,
    ONE,
    PLAIN,
    TWO,
    applied,
    drifted,
    ids,
    machine,
    of_instance,
    plan_of,
    refused,
)


def test_a_new_instance_says_which_disks_it_has() -> None:
    plan = decide(TWO, Fleet().observe(TWO)).plan
    assert "disks data 10 GiB, logs 5 GiB" in text(plan, False)
    (create,) = (step for step in plan.steps if isinstance(step, CreateInstance))
    assert [disk.name for disk in create.instance.disks] == ["data", "logs"]


def test_a_disk_is_added_and_grown_while_its_machine_runs() -> None:
    fleet = settled(PLAIN)
    plan = applied(fleet, ONE)
    (change,) = of_instance(plan)
    assert (change.action, change.disruption, change.destroys_data) == (Action.UPDATE, Disruption.LIVE, False)
    assert [(field.path, field.before, field.after) for field in change.fields] == [("disks.data", None, "10 GiB")]
    (step,) = (step for step in plan.steps if isinstance(step, UpdateInstance))
    assert step.live
    plan = applied(fleet, changed(ONE, "db", disks=(replace(DATA, size=20 * GIB),)))
    (change,) = of_instance(plan)
    assert change.disruption is Disruption.LIVE
    assert machine(fleet)[1].attached == set(ids(fleet).values())
    assert not fleet.hosts["kvm-1"].stopped


def test_a_machine_without_a_place_for_one_more_is_restarted() -> None:
    fleet = settled(PLAIN)
    drifted(fleet, ports=0)
    (change,) = of_instance(plan_of(fleet, ONE))
    assert change.disruption is Disruption.RESTART


def test_one_that_is_off_is_only_written() -> None:
    off = changed(PLAIN, "db", state=Power.STOPPED)
    (change,) = of_instance(applied(settled(off), changed(off, "db", disks=BOTH)))
    assert change.disruption is Disruption.NONE


def test_with_a_larger_flavor_it_comes_with_the_restart() -> None:
    (change,) = of_instance(applied(settled(PLAIN), changed(ONE, "db", flavor=LARGE)))
    assert change.disruption is Disruption.RESTART


def test_a_disk_never_shrinks() -> None:
    said = refused(settled(ONE), changed(ONE, "db", disks=(replace(DATA, size=5 * GIB),)))
    assert "instance.db's disk data is 10 GiB: it cannot shrink to 5 GiB" in said


def test_a_removed_line_is_a_change_of_its_own_and_destroys() -> None:
    fleet = settled(TWO)
    gone = ids(fleet)["logs"]
    plan = applied(fleet, changed(ONE, "db", metadata={"a": "b"}))
    update, removal = of_instance(plan)
    assert (update.destroys_data, update.disruption) == (False, Disruption.NONE)
    assert (removal.destroys_data, removal.disruption) == (True, Disruption.DESTROYS_DATA)
    assert (removal.disks, removal.loss) == (("logs",), "instance.db (logs)")
    assert "disks.logs 5 GiB → none" in text(plan, False)
    assert "destroys its data disk logs" in text(plan, False)
    assert "1 disk will be destroyed" in text(plan, False)
    assert [step.disk.id for step in plan.steps if isinstance(step, DeleteDisk)] == [gone]
    assert fleet.data().keys() == {ids(fleet)["data"]}


def test_what_is_on_record_is_there_and_what_goes_is_on_record_until_it_is_gone() -> None:
    fleet = settled(ONE)
    wanted = changed(ONE, "db", disks=(LOGS,))
    first, last = (step for step in plan_of(fleet, wanted).steps if isinstance(step, PutDocument))
    during, after = (step.document.instances["db"].disks for step in (first, last))
    assert [(disk.name, disk.made) for disk in during] == [("data", True), ("logs", False)]
    assert [(disk.name, disk.made) for disk in after] == [("logs", True)]
    assert {"kvm-1/instance.db/update" if "update" in one else one.split("-disk-")[0] for one in last.waits_for} >= {
        "kvm-1/instance.db/delete"
    }


def test_a_guest_that_holds_on_is_tried_again() -> None:
    fleet = settled(TWO)
    wanted = ONE
    plan = plan_of(fleet, wanted)
    (step,) = (step for step in plan.steps if isinstance(step, DeleteDisk))
    fleet.hosts["kvm-1"].breaks = step.id
    assert fleet.apply(plan, wanted).failed == (step.id,)
    again = plan_of(fleet, wanted)
    assert [change.disks for change in again.destroys] == [("logs",)]
    applied(fleet, wanted)


def test_a_replace_and_a_rename_take_disks_along() -> None:
    fleet = settled(TWO)
    made = fleet.data()
    noble = changed(replace(TWO, images={**TWO.images, "noble": image("noble")}), "db", image="noble")
    plan = applied(fleet, noble)
    (change,) = of_instance(plan)
    assert (change.action, change.disks) == (Action.REPLACE, ("root",))
    assert "keeps data, logs" in text(plan, False)
    again = replace(noble, replaced=frozenset({"db"}))
    assert not fleet.apply(plan_of(fleet, again), again).failed
    sql = replace(without(noble, "db"), instances={"sql": replace(noble.instances["db"], name="sql", was=("db",))})
    assert not applied(fleet, sql).destroys
    both = replace(sql, instances={"pg": replace(sql.instances["sql"], name="pg", was=("sql",), image="debian")})
    applied(fleet, both)
    assert fleet.data() == made


def test_of_a_new_instance_by_an_old_name_the_disk_is_another() -> None:
    """Its UUID is free again, and the disk that was made under that lives on."""
    fleet = settled(ONE)
    again = replace(ONE, replaced=frozenset({"db"}))
    fleet.apply(plan_of(fleet, again), again)
    wanted = replace(ONE, instances={**ONE.instances, "sql": replace(ONE.instances["db"], name="sql", was=("db",))})
    renamed = without(wanted, "db")
    applied(fleet, renamed)
    applied(fleet, wanted)
    assert len(fleet.data()) == 2


def test_deleting_an_instance_names_and_counts_its_disks() -> None:
    fleet = settled(TWO)
    plan = applied(fleet, without(TWO, "db"))
    (change,) = of_instance(plan)
    assert (change.action, change.disks) == (Action.DELETE, ("root", "data", "logs"))
    assert summary(plan)["disks_destroyed"] == 3
    assert "DELETE: destroys its disks root, data, logs" in text(plan, False)
    assert "3 disks will be destroyed" in text(plan, False)
    assert fleet.data() == {}


def test_what_is_protected_keeps_its_disks() -> None:
    guarded = changed(TWO, "db", protect=True)
    fleet = settled(guarded)
    said = refused(fleet, changed(guarded, "db", disks=()))
    assert "instance.db is protected and would lose its data disks data, logs" in said
    assert "would lose" in refused(fleet, changed(guarded, "db", disks=(), protect=False))


def test_a_disk_of_a_cut_off_apply_goes_with_its_instance() -> None:
    fleet = settled(PLAIN)
    plan = plan_of(fleet, ONE)
    fleet.apply(plan, ONE, stop_after=2)
    assert len(fleet.data()) == 1
    assert [(disk.name, disk.made) for disk in fleet.hosts["kvm-1"].state.document.instances["db"].disks] == [  # type: ignore[union-attr]
        ("data", False)
    ]
    gone = applied(fleet, without(ONE, "db"))
    assert [change.disks for change in gone.destroys] == [("root", "data")]
    assert fleet.data() == {}


def test_they_take_room_of_their_host() -> None:
    huge = WantedDisk(name="data", size=4096 * GIB)
    wanted = changed(PLAIN, "db", disks=(huge,))
    plan = decide(wanted, Fleet().observe(wanted)).plan
    assert [one.instance for one in plan.homeless] == ["db"]
    assert "cannot grow" in refused(settled(PLAIN), wanted)


def test_a_document_from_before_there_were_disks_still_loads() -> None:
    from cloudsync.model import wire
    from cloudsync.model.document import HostDocument

    fleet = settled(PLAIN)
    document = fleet.hosts["kvm-1"].state.document
    assert document
    older = wire.dump(document).replace(b',"disks":[]', b"").replace(b',"disks":{}', b"")
    assert b"disks" not in older
    assert wire.load(HostDocument, older) == document


def test_two_names_of_one_disk_are_a_bug_that_no_plan_survives() -> None:
    """The audit looks at it whoever decided it."""
    from cloudsync.model.problem import CloudsyncError
    from cloudsync.planner.audit import audit

    fleet = settled(TWO)
    made = decide(TWO, fleet.observe(TWO))
    one = made.desired.instances["db"]
    kept = DeleteInstance(id="x", host="kvm-1", address="instance.db", uuid=one.uuid, disks=(one.disks[0].id,))
    with pytest.raises(CloudsyncError, match="would delete data disk"):
        audit(replace(made.plan, steps=(kept,)), made.desired, fleet.observe(TWO).hosts)
    twice = replace(one, disks=(one.disks[0], DataDisk(name="other", size=GIB, id=one.disks[0].id)))
    with pytest.raises(CloudsyncError, match="two instances have data disk"):
        audit(made.plan, replace(made.desired, instances={"db": twice}), fleet.observe(TWO).hosts)
