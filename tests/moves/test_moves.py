"""Instances come to another host of the lab: live, or while they are off; whole, and only there."""

import re

import pytest

from cloudsync.model.flow import Flow
from cloudsync.model.snapshot import Boot
from tests.moves.scene import MIB, Scene, on

pytestmark = pytest.mark.real
KEYS = ("ssh-ed25519 AAAAbox",)


def moved(scene: Scene, name: str, state: str) -> None:
    """From h1 to h2, and nothing of it is left."""
    assert scene.machines("h1") == {}
    assert scene.disks("h1") == []
    assert scene.machines("h2") == {name: state}
    assert scene.starting("h2") == ([name] if state == "running" else [])
    assert scene.disks("h2") == [scene.uuid("h2", name)]
    scene.settled()


def test_a_running_one_moves_live_with_what_was_written_and_its_boot(scene: Scene) -> None:
    scene.write(box=on("h1"))
    scene.apply()
    scene.fill("h1", "box")
    uuid = scene.uuid("h1", "box")
    scene.tell_boot("h1", Boot(uuid=uuid, host_keys=KEYS))
    scene.write(box=on("h2"))
    said = scene.apply()
    assert re.search(r"> instance.box +host h1 → h2 +migrate .*in the clear", said)
    assert re.search(r"\[\d+/\d+] move instance.box from h1 to h2: done", said)
    assert scene.uuid("h2", "box") == uuid
    moved(scene, "box", "running")
    assert scene.holds("h2", "box")
    assert scene.boots("h2")[uuid].host_keys == KEYS
    assert scene.boots("h1") == {}


def test_drain_moves_all_and_its_undo_lets_them_come(scene: Scene) -> None:
    scene.write(one=on(), two=on())
    scene.apply()
    assert [len(scene.machines(host)) for host in ("h1", "h2")] == [1, 1]
    done = scene.run("host", "drain", "h1", "-y")
    assert done.returncode == 0, done.stdout + done.stderr
    assert scene.machines("h1") == {}
    assert scene.machines("h2") == {"one": "running", "two": "running"}
    scene.settled()
    done = scene.run("host", "drain", "h1", "--undo", "-y")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "drained" not in scene.spec.read_text()
    assert scene.machines("h2") == {"one": "running", "two": "running"}


def test_one_that_is_off_moves_and_stays_off(scene: Scene) -> None:
    scene.write(box=on("h1", state="stopped"))
    scene.apply()
    scene.fill("h1", "box", size=8 * MIB)
    scene.write(box=on("h2", state="stopped"))
    scene.apply()
    moved(scene, "box", "shut off")
    assert scene.holds("h2", "box", size=8 * MIB)


def test_one_whose_flavor_changes_is_stopped_and_moves(scene: Scene) -> None:
    scene.write(box=on("h1"))
    scene.apply()
    scene.fill("h1", "box")
    scene.tell_boot("h1", Boot(uuid=scene.uuid("h1", "box"), host_keys=KEYS))
    scene.write(box=on("h2", flavor="wide"))
    assert "restart" in scene.run("plan").stdout
    scene.apply()
    moved(scene, "box", "running")
    assert scene.holds("h2", "box")
    assert "40 MiB" in scene.it.run("h2", "qemu-img", "info", "-U", scene.disk("h2", "box")).stdout
    assert "49152 KiB" in scene.it.run("h2", "virsh", "dominfo", "box").stdout
    assert [boot.host_keys for boot in scene.boots("h2").values()] == [KEYS]


def test_its_connections_go_on_and_what_it_does_is_told(scene: Scene) -> None:
    scene.bandwidth = "1MiB"
    scene.write(box=on("h1"))
    scene.apply()
    scene.fill("h1", "box", size=20 * MIB)
    uuid, address = scene.uuid("h1", "box"), scene.address("h1", "box")
    flow = Flow(
        protocol=6,
        source=address,
        target="198.51.100.2",
        ports=(40000, 7),
        reply_source="198.51.100.2",
        reply_target=address,
        reply_ports=(7, 40000),
    )
    scene.put_flows("h1", uuid, flow)
    scene.write(box=on("h2"))
    said = scene.apply()
    assert scene.flows("h2", uuid) == (flow,)
    told = re.findall(r"move instance.box from h1 to h2: (\d+) of (\d+) MiB", said)
    assert told and told[0][0] != told[0][1], said
    assert all(0 < int(done) <= int(total) < 80 and int(total) >= 20 for done, total in told), told
