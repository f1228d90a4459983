"""A machine that runs becomes bigger by all three at once, moves on as it is, and is as big after its next start."""

import re

import pytest

from cloudsync.model.snapshot import Boot
from tests.moves.scene import MIB, Scene, on
from tests.moves.test_moves import moved

pytestmark = pytest.mark.real
KIB = 160 * MIB >> 10


def process(scene: Scene, host: str) -> str:
    return scene.it.run(host, "cat", "/run/libvirt/qemu/box.pid").stdout


def sizes(scene: Scene, host: str) -> tuple[int, int, int]:
    """vCPUs, KiB of memory and bytes of disk, by what libvirt says of the running machine."""

    def said(*words: str) -> str:
        return scene.it.run(host, "virsh", "-q", *words).stdout

    vcpus = int(said("vcpucount", "box", "--live", "--current"))
    memory = re.search(r"Max memory: +(\d+) KiB\nUsed memory: +(\d+) KiB", said("dominfo", "box"))
    disk = re.search(r"Capacity: +(\d+)", said("domblkinfo", "box", "vda"))
    assert memory and disk
    assert memory[1] == memory[2], "the balloon takes none of it"
    return vcpus, int(memory[1]), int(disk[1])


def definition(scene: Scene, host: str, *words: str) -> str:
    return scene.it.run(host, "virsh", "dumpxml", "box", *words).stdout


def test_it_grows_live_moves_live_and_starts_as_it_is(scene: Scene) -> None:
    scene.write(box=on("h1"))
    scene.apply()
    scene.fill("h1", "box")
    before, uuid = process(scene, "h1"), scene.uuid("h1", "box")
    scene.write(box=on("h1", flavor="grown"))
    assert "its guest has not said that it takes in memory while it runs" in scene.run("plan").stdout
    scene.tell_boot("h1", Boot(uuid=uuid, grows=True))
    said = scene.apply()
    assert re.search(r"~ instance.box .* live \(", said), said
    assert process(scene, "h1") == before
    assert sizes(scene, "h1") == (2, KIB, 40 * MIB)
    assert "<memory model='dimm'>" in definition(scene, "h1")
    assert "<memory model='dimm'>" not in definition(scene, "h1", "--inactive")
    scene.settled()

    scene.write(box=on("h2", flavor="grown"))
    assert re.search(r"> instance.box +host h1 → h2 +migrate", scene.apply())
    moved(scene, "box", "running")
    assert scene.holds("h2", "box")
    assert sizes(scene, "h2") == (2, KIB, 40 * MIB)
    assert "<memory model='dimm'>" in definition(scene, "h2")
    assert scene.boots("h2")[uuid].grows

    scene.it.run("h2", "virsh", "-q", "destroy", "box")
    scene.it.run("h2", "virsh", "-q", "start", "box")
    assert sizes(scene, "h2") == (2, KIB, 40 * MIB)
    assert "<memory model='dimm'>" not in definition(scene, "h2")
    scene.settled()
