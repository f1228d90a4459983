"""Names, power, user-data and pauses of machines on a real libvirt: what the plan says is what becomes of QEMU."""

import pytest

from cloudsync.model.plan import Action, Plan
from cloudsync.model.resources import Power
from tests.drift.scene import BOX, Scene, kinds, virsh

pytestmark = pytest.mark.real


def told(plan: Plan) -> list[tuple[str, str, str]]:
    """Address, action and class of each change."""
    return [(one.address, one.action.value, one.disruption.label) for one in plan.changes]


def box(flavor: str = "tiny", **more: str) -> str:
    words = {"image": "blank", "flavor": flavor, **more}
    return f"{{{', '.join(f'{key}: {value}' for key, value in words.items())}}}"


def began(scene: Scene, **boxes: str) -> None:
    scene.write(**boxes)
    scene.apply()
    assert scene.plan().empty


def test_a_running_machine_is_renamed_by_a_restart_and_keeps_its_disk(scene: Scene) -> None:
    """libvirt renames only what is off."""
    began(scene, web=BOX)
    uuid, before = scene.uuid("web"), scene.pid("web")
    for name, spec in (("front", box(was="web")), ("front-1", box(count="1")), ("front", BOX)):
        scene.write(**{name.removesuffix("-1"): spec})
        plan = scene.apply()
        assert told(plan) == [(f"instance.{name}", "rename", "restart")]
        assert (kinds(plan).count("update-instance"), scene.uuid(name), scene.plan().empty) == (1, uuid, True)
        assert scene.pid(name) != before
        before = scene.pid(name)


def test_one_that_is_off_is_renamed_without_being_started(scene: Scene) -> None:
    began(scene, web=box(state="stopped"))
    uuid = scene.uuid("web")
    scene.write(front=box(was="web", state="stopped"))
    assert told(scene.apply()) == [("instance.front", "rename", "none")]
    assert (scene.uuid("front"), virsh("domstate", "front").strip(), scene.plan().empty) == (uuid, "shut off", True)


def test_power_follows_the_spec(scene: Scene) -> None:
    began(scene, web=BOX)
    before = scene.pid("web")
    scene.write(web=box(state="stopped"))
    assert told(scene.apply()) == [("instance.web", "update", "restart")]
    assert (virsh("domstate", "web").strip(), scene.plan().empty) == ("shut off", True)
    scene.write(web=BOX)
    assert told(scene.apply()) == [("instance.web", "update", "none")]
    assert (scene.pid("web") != before, scene.plan().empty) == (True, True)


def test_what_a_person_stopped_stays_off_where_the_state_is_ignored(scene: Scene) -> None:
    began(scene, web=box(ignore="[state]"))
    virsh("destroy", "web")
    plan = scene.plan()
    assert (plan.empty, len(plan.notes)) == (True, 1)
    assert "it is stopped (its plug was pulled), should be running: left alone" in plan.notes[0]
    scene.edit("web", "<on_crash>restart", "<on_crash>preserve")
    scene.apply()
    assert (virsh("domstate", "web").strip(), scene.plan().empty) == ("shut off", True)
    virsh("start", "web")
    assert scene.plan().notes == ()


def test_nothing_of_a_paused_one_is_touched_and_what_waited_is_made_later(scene: Scene) -> None:
    """Its user-data too stays on its host, though the spec has another."""
    old, new = (f"'#cloud-config # {word}'" for word in ("old", "new"))
    began(scene, web=box(user_data=old), other=BOX)
    document, text, pid = scene.state.document, virsh("dumpxml", "web"), scene.pid("web")
    assert document
    scene.write(web=box(user_data=new, paused="true", flavor="wide"), other=box(metadata="{a: b}"))
    plan = scene.apply()
    assert [(one.change.address, one.change.action) for one in plan.held] == [("instance.web", Action.UPDATE)]
    assert told(plan) == [("instance.other", "update", "none")]
    after = scene.state.document
    assert after
    assert after.instances["web"] == document.instances["web"]
    assert (virsh("dumpxml", "web"), scene.pid("web"), scene.plan().empty) == (text, pid, True)
    virsh("destroy", "web")
    assert (scene.plan().empty, "it is stopped" in scene.plan().notes[0]) == (True, True)
    scene.write(other=BOX, web=box(user_data=new, flavor="wide"))
    scene.apply()
    assert scene.plan().empty
    machine = scene.state.machines[scene.uuid("web")]
    assert (machine.memory >> 20, machine.power) == (48, Power.RUNNING)
    assert scene.plan().notes[0].startswith("instance.web runs on older user-data")


def test_user_data_is_kept_or_a_reason_to_make_it_anew(scene: Scene) -> None:
    one, two = (f"'#cloud-config # {word}'" for word in ("one", "two"))
    began(scene, web=box(user_data=one), other=box(user_data=one, on_user_data_change="replace"))
    first, pid = scene.uuid("other"), scene.pid("web")
    scene.write(web=box(user_data=two), other=box(user_data=two, on_user_data_change="replace"))
    plan = scene.apply()
    assert told(plan) == [("instance.other", "replace", "destroys-data"), ("instance.web", "update", "none")]
    assert plan.changes[0].reasons == ("its user-data changed, and its on_user_data_change is replace",)
    assert (scene.uuid("other") == first, scene.pid("web") == pid) == (False, True)
    for _ in range(2):
        plan = scene.apply()
        assert plan.empty
        assert [note.partition(" runs on")[0] for note in plan.notes] == ["instance.web"]
