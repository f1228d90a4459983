"""One machine on a real libvirt, changed behind cloudsync's back in every way that is told, and put right."""

import os
import re
import select
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from cloudsync.hosts.fleet import Fleet
from cloudsync.model.plan import Disruption
from cloudsync.model.resources import Power
from cloudsync.spec.load import load
from tests.drift.scene import BOX, POOL, Scene, kinds, said, virsh

pytestmark = pytest.mark.real

OTHER = "11111111-2222-4333-8444-555555555555"
Meddling = Callable[[Scene], None]


@pytest.fixture
def box(scene: Scene) -> Scene:
    """It runs, as it was written."""
    scene.write(box=BOX)
    scene.apply()
    assert scene.plan().empty
    return scene


def kill(scene: Scene) -> None:
    """As the kernel does when memory is short; returns when libvirt knows."""
    end = os.pidfd_open(scene.pid("box"))
    os.kill(scene.pid("box"), 9)
    select.select([end], [], [], 30)
    os.close(end)
    while virsh("domstate", "box").strip() == "running":
        continue


def edit(old: str, new: str) -> Meddling:
    return lambda scene: scene.edit("box", old, new)


def again(first: Meddling) -> Meddling:
    def both(scene: Scene) -> None:
        first(scene)
        virsh("destroy", "box")
        virsh("start", "box")

    return both


def undefined_off(_scene: Scene) -> None:
    virsh("destroy", "box")
    virsh("undefine", "box")


def saved_and_edited(scene: Scene) -> None:
    virsh("managedsave", "box")
    MEMORY(scene)


def run(*words: str) -> Meddling:
    def meddle(_scene: Scene) -> None:
        virsh(*words)

    return meddle


def tap() -> str:
    return virsh("domiflist", "box").split()[0]


def cut(_scene: Scene) -> None:
    ip("link", "del", tap())


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


MEMORY = edit("memory='32768'", "memory='65536'")
"""Of its one node: where there are nodes, libvirt adds them up."""
MODEL = edit("<model type='virtio'/>", "<model type='e1000'/>")
VNC = edit("<memballoon", "<graphics type='vnc' autoport='yes'/><memballoon")
USB = edit("type='usb' index='0' model='none'", "type='usb' index='0' model='qemu-xhci'")
SET, RESTART, CHANGED = "will be set back", "will be set back (restart)", "its definition was changed"
LEFT, ANEW = "left alone", "cloudsync apply --replace instance.box"
DETACH = "to be rid of it, on its host: virsh detach-disk box vdz --persistent"
BOTH = f"{CHANGED}, and it runs so"


@pytest.mark.parametrize(
    ("meddle", "message", "remedy", "class_"),
    [
        (run("suspend", "box"), "it is paused, should be running", "will go on where it was", Disruption.NONE),
        (run("destroy", "box"), "it is stopped (its plug was pulled)", "will be started", Disruption.NONE),
        (kill, "it is stopped (QEMU ended by itself)", "will be started", Disruption.NONE),
        (run("managedsave", "box"), "(its memory was saved)", "will go on where it was", Disruption.NONE),
        (run("autostart", "--disable", "box"), "it does not start with the host", SET, Disruption.NONE),
        (run("undefine", "box"), "it was undefined", SET, Disruption.NONE),
        (undefined_off, "the machine is not there", "will be made on its disk", Disruption.NONE),
        (MEMORY, f"{CHANGED}: memory: 64 MiB instead of 32 MiB", SET, Disruption.NONE),
        (again(MEMORY), "memory: 64 MiB, should be 32 MiB", RESTART, Disruption.RESTART),
        (MODEL, f"{CHANGED}: network card 1: model=e1000 instead of model=virtio", SET, Disruption.NONE),
        (again(MODEL), f"{BOTH}: network card 1: model=e1000", RESTART, Disruption.RESTART),
        (again(VNC), f"{BOTH}: graphics 1 is new (type=vnc); video 1 is new", RESTART, Disruption.RESTART),
        (USB, f"{CHANGED}: usb controller 1: model=qemu-xhci", SET, Disruption.NONE),
        (edit("<boot order='1'/>", "<boot order='2'/>"), f"{CHANGED}: disk vda: boot=2", SET, Disruption.NONE),
        (edit("<on_crash>restart", "<on_crash>preserve"), f"{CHANGED}: on_crash: preserve", SET, Disruption.NONE),
        (cut, "network card 1 has lost its tap, cs-", RESTART, Disruption.RESTART),
    ],
)
def test_it_is_named_and_put_right_and_no_more_is_disturbed(
    box: Scene, meddle: Meddling, message: str, remedy: str, class_: Disruption
) -> None:
    meddle(box)
    before = pid(box)
    plan = box.apply()
    (told,) = said(plan)
    assert message in told[0]
    assert told[1] == remedy
    assert [one.disruption for one in plan.changes] == [class_]
    assert box.plan().empty
    assert (before == pid(box)) is (class_ is Disruption.NONE and before > 0)


def pid(scene: Scene) -> int:
    """Of its QEMU, 0 when it is off."""
    with suppress(FileNotFoundError):
        return scene.pid("box")
    return 0


def test_a_tap_that_was_set_down_is_set_up_as_it_runs(box: Scene) -> None:
    ip("link", "set", tap(), "down")
    before = pid(box)
    ((message, remedy),) = said(box.apply())
    assert (message.endswith(f" is switched off: {tap()} is down"), remedy) == (True, "will be restored")
    assert (",UP" in ip("link", "show", tap()), box.plan().empty, pid(box)) == (True, True, before)


def test_a_tap_that_is_gone_is_told_by_a_checkup_until_a_restart(box: Scene) -> None:
    def told() -> list[str]:
        with Fleet.open(load(box.spec)) as fleet:
            return [one.hint for one in fleet.checkup()["here"] if one.name == "taps"]

    cut(box)
    assert told() == ["only a restart brings it back: cloudsync reboot box"]
    virsh("destroy", "box")
    assert told() == []
    virsh("start", "box")
    assert (told(), box.plan().empty) == ([], True)


def test_a_link_that_libvirt_has_down_is_no_tap_that_is_down(box: Scene) -> None:
    """Whether it was set so while it ran or it was started so."""
    virsh("domif-setlink", "box", tap(), "down", "--config")
    for act in (("domif-setlink", "box", tap(), "down"), ("destroy", "box"), ("start", "box")):
        virsh(*act)
        if act[0] != "destroy":
            assert ",UP" in ip("link", "show", tap())
        assert not any("switched off" in message or "lost" in message for message, _ in said(box.plan()))
    box.apply()
    assert box.plan().empty


def test_cpus_and_consoles_are_part_of_it(box: Scene) -> None:
    text = virsh("dumpxml", "--inactive", "box")
    model = re.sub("<cpu [^>]*>", "<cpu mode='custom' match='exact' check='none'><model>qemu64</model>", text)
    box.define(re.sub("<(serial|console).*?</(serial|console)>", "", model, flags=re.DOTALL))
    plan = box.apply()
    ((message, remedy),) = said(plan)
    assert message == f"{CHANGED}: cpu: custom qemu64 instead of maximum; serial 1 is gone"
    assert (remedy, box.plan().empty) == (SET, True)


def test_saved_memory_never_brings_older_sizes_back(box: Scene) -> None:
    """It goes on, is stopped as any other, and starts as it is written."""
    saved_and_edited(box)
    plan = box.apply()
    assert [one.disruption for one in plan.changes] == [Disruption.RESTART]
    assert [remedy for _, remedy in said(plan)] == ["will be started", RESTART]
    assert box.plan().empty


def test_a_disk_that_is_gone_is_nothing_that_an_apply_mends(box: Scene) -> None:
    path = box.disk("box")
    kept = path.with_name("kept")
    path.rename(kept)
    try:
        before = box.pid("box")
        assert said(box.apply()) == [("its disk is gone", f"{LEFT}; to make it anew: {ANEW}")]
        assert box.pid("box") == before
        virsh("destroy", "box")
        assert [message for message, _ in said(box.apply())][-1] == "its disk is gone"
        assert box.state.machines[box.uuid("box")].power is Power.STOPPED
    finally:
        kept.rename(path)
    assert kinds(box.apply()) == ["start-instance"]


def test_snapshots_are_left_alone_and_the_way_back_works(box: Scene) -> None:
    spec = f"vda,file={POOL}/snap.qcow2"
    virsh("snapshot-create-as", "box", "one", "--disk-only", "--diskspec", spec)
    before = box.pid("box")
    plan = box.apply()
    assert [message for message, _ in said(plan)] == [
        f"its root disk is another file: {POOL}/snap.qcow2",
        "libvirt has a snapshot of it",
    ]
    assert (kinds(plan), any(one.repaired for one in plan.drift)) == ([], False)
    way = plan.drift[0].remedy.partition("virsh ")[2]
    virsh(*way.split(), "--wait")
    virsh("snapshot-delete", "box", "one", "--metadata")
    (POOL / "snap.qcow2").unlink()
    assert box.plan().empty
    assert box.pid("box") == before


@pytest.mark.parametrize("flags", [["--live"], ["--config"], ["--live", "--config"]])
def test_a_disk_that_somebody_attached_is_told_and_left_alone(box: Scene, flags: list[str]) -> None:
    """It may be in use: what is on it is theirs."""
    box.attach("box", f"<disk type='file'><source file='{box.extra}'/><target dev='vdz' bus='virtio'/></disk>", *flags)
    plan = box.apply()
    assert said(plan) == [(f"a disk that is not its own is attached: vdz {box.extra}", f"{LEFT}; {DETACH}")]
    assert kinds(plan) == []
    virsh("detach-disk", "box", "vdz", *flags)
    if "--live" in flags:
        virsh("destroy", "box")
        box.apply()
    assert box.plan().empty


def test_copies_and_strays_with_our_mark_are_told(box: Scene) -> None:
    text = virsh("dumpxml", "--inactive", "box").replace("<name>box", "<name>clone").replace("52:54:00", "52:54:01")
    text = text.replace("'cs-", "'ct-").replace("/var/log/libvirt/qemu/cloudsync-", "/var/log/libvirt/qemu/other-")
    copy = re.sub(f"(<uuid>|<entry name='uuid'>){box.uuid('box')}", rf"\g<1>{OTHER}", text)
    copy = re.sub("<disk .*</disk>", "", copy, flags=re.DOTALL)
    box.define(copy)
    plan = box.apply()
    ((message, remedy),) = said(plan)
    assert message == "the machine clone is a copy of box, with this cloud's mark"
    assert (remedy.startswith(LEFT), kinds(plan)) == (True, [])
    virsh("undefine", "clone")

    box.define(copy.replace(f'uuid="{box.uuid("box")}"', f'uuid="{OTHER}"'))
    virsh("start", "clone")
    plan = box.apply()
    ((message, remedy),) = said(plan)
    assert "the machine clone runs with this cloud's mark" in message
    assert (remedy.startswith(LEFT), kinds(plan)) == (True, [])
    virsh("destroy", "clone")
    assert kinds(box.apply()) == ["delete-instance"]
    assert box.plan().empty


def test_a_disk_without_a_machine_is_told_and_left_alone(box: Scene) -> None:
    stray = POOL / f"{OTHER}.root.qcow2"
    stray.write_bytes(box.disk("box").read_bytes())
    try:
        plan = box.apply()
        assert said(plan) == [(f"a disk of no instance is in the pool: {stray.name}", LEFT)]
        assert Path(stray).exists()
    finally:
        stray.unlink()
    assert box.plan().empty
