"""Data disks on real hosts: what is on them outlives the machine, comes along, and goes only when that was agreed."""

import pytest

from tests.moves.scene import POOL, Scene, on

pytestmark = pytest.mark.real


def test_what_is_on_it_survives_a_replace_and_goes_when_that_is_agreed(scene: Scene) -> None:
    scene.write(box=on("h1", data="16MiB"))
    scene.apply()
    scene.settled()
    (data,) = scene.data("h1")
    scene.write_to("h1", "box", data)
    uuid = scene.uuid("h1", "box")
    assert "keeps data" in scene.apply("--replace", "instance.box", "--allow-destroy")
    assert scene.uuid("h1", "box") != uuid
    assert scene.data("h1") == [data]
    assert scene.kept("h1", data)
    scene.settled()
    run = scene.it.run("h1", "virsh", "-q", "domid", "box").stdout
    scene.write(box=on("h1", data="24MiB", logs="8MiB"))
    assert "live" in scene.apply()
    assert scene.it.run("h1", "virsh", "-q", "domid", "box").stdout == run
    assert len(scene.data("h1")) == 2
    assert "24 MiB" in scene.it.run("h1", "qemu-img", "info", "-U", f"{POOL}/{data}").stdout
    scene.settled()
    _removed(scene, data)


def _removed(scene: Scene, data: str) -> None:
    """Off: a guest without a system lets go of nothing."""
    scene.write(box=on("h1", logs="8MiB", state="stopped"))
    scene.it.run("h1", "virsh", "-q", "destroy", "box")
    refused = scene.run("apply", "-y")
    assert refused.returncode == 1
    assert "this plan destroys data: instance.box (data)" in refused.stderr
    assert scene.kept("h1", data)
    assert "destroys its data disk data" in scene.apply("--allow-destroy")
    assert data not in scene.data("h1")
    assert len(scene.data("h1")) == 1
    assert data not in scene.it.run("h1", "virsh", "dumpxml", "box").stdout
    scene.settled()


def test_a_running_machine_takes_its_disks_along(scene: Scene) -> None:
    scene.write(box=on("h1", data="16MiB"))
    scene.apply()
    (data,) = scene.data("h1")
    scene.write_to("h1", "box", data)
    scene.write(box=on("h2", data="16MiB"))
    assert "migrate" in scene.apply()
    assert (scene.data("h1"), scene.data("h2")) == ([], [data])
    assert (scene.disks("h1"), scene.machines("h2")) == ([], {"box": "running"})
    assert scene.kept("h2", data)
    assert int(scene.it.run("h2", "stat", "-c", "%b", f"{POOL}/{data}").stdout) * 512 < 8 << 20, "holes stay holes"
    scene.settled()


def test_one_that_is_off_takes_them_along_grown_and_with_a_new_one(scene: Scene) -> None:
    scene.write(box=on("h1", state="stopped", data="16MiB"))
    scene.apply()
    (data,) = scene.data("h1")
    scene.write_to("h1", "box", data)
    scene.write(box=on("h2", state="stopped", data="24MiB", logs="8MiB"))
    scene.apply()
    assert scene.data("h1") == []
    assert len(scene.data("h2")) == 2
    assert scene.kept("h2", data)
    assert "24 MiB" in scene.it.run("h2", "qemu-img", "info", "-U", f"{POOL}/{data}").stdout
    scene.settled()
