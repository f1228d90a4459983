"""A host fills up or dies, or the program is killed, in the middle of a move: the instance is there, once and whole."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab.begun import Begun
from tests.lab.eventually import eventually
from tests.moves.scene import MIB, POOL, Scene, on

pytestmark = pytest.mark.real
SIZE = 12 * MIB
"""At 1 MiB a second: time enough."""
SOON = 90
"""Seconds in which an apply notices that a host is dead."""


@pytest.fixture
def slow(scene: Scene) -> Iterator[Scene]:
    """A running box on h1 that is to go to h2, slowly."""
    scene.bandwidth = "1MiB"
    scene.write(box=on("h1"))
    scene.apply()
    scene.fill("h1", "box", SIZE)
    scene.write(box=on("h2"))
    yield scene


@contextmanager
def narrow(scene: Scene, host: str) -> Iterator[None]:
    """A pool that has room for the instance and for what must stay free."""
    scene.it.run(host, "mount", "-t", "tmpfs", "-o", "size=110m,mode=711", "tmpfs", POOL)
    try:
        yield
        assert scene.disks(host) == []
    finally:
        scene.it.run(host, "umount", "--lazy", POOL)


def crowd(scene: Scene, host: str) -> None:
    """Somebody else takes all of that but 6 MiB."""
    free = scene.it.run(host, "df", "--block-size=1", "--output=avail", POOL).stdout.split()[-1]
    scene.it.run(host, "fallocate", "-l", str(int(free) - 6 * MIB), f"{POOL}/others")


def under_way(scene: Scene) -> Begun:
    begun = scene.begin_move()
    eventually(lambda: scene.travels("h1"), True)
    return begun


def failed(begun: Begun, *words: str) -> None:
    said = begun.communicate(timeout=SOON)[1]
    assert begun.returncode == 1, said
    assert "Traceback" not in said
    assert "unexpected" not in said
    for word in words:
        assert word in said, said


def stays(scene: Scene) -> None:
    """All that there is of it is on h1, whole."""
    assert scene.machines("h1") == {"box": "running"}
    assert scene.machines("h2") == {}
    assert scene.holds("h1", "box", SIZE)


def finished(scene: Scene) -> None:
    """The next apply has it on h2, once."""
    scene.bandwidth = "0"
    scene.write(box=on("h2"))
    scene.apply()
    assert scene.machines("h1") == {}
    assert scene.disks("h1") == []
    assert scene.machines("h2") == {"box": "running"}
    assert scene.disks("h2") == [scene.uuid("h2", "box")]
    assert scene.holds("h2", "box", SIZE)
    scene.settled()


def test_the_target_fills_up(slow: Scene) -> None:
    with narrow(slow, "h2"):
        begun = under_way(slow)
        crowd(slow, "h2")
        failed(begun, "No space left on device")
        stays(slow)
    finished(slow)


def test_the_target_fills_up_under_one_that_is_off(slow: Scene) -> None:
    slow.write(box=on("h1", state="stopped"))
    slow.it.run("h1", "virsh", "-q", "destroy", "box")
    slow.apply()
    slow.write(box=on("h2", state="stopped"))
    with narrow(slow, "h2"):
        begun = slow.begin_move()
        crowd(slow, "h2")
        failed(begun, "No space left on device")
        assert slow.machines("h1") == {"box": "shut off"}
        assert slow.holds("h1", "box", SIZE)
        assert slow.machines("h2") == {}
    finished(slow)


def test_the_source_dies(slow: Scene) -> None:
    begun = under_way(slow)
    slow.it.stop("h1")
    failed(begun, "host h1 went away", "host h2 could not take in")
    eventually(lambda: slow.machines("h2"), {})
    plan = slow.run("plan")
    assert "h1 ✗ unreachable: 1 instance" in plan.stdout, plan.stdout + plan.stderr
    assert "instance.box" not in plan.stdout.split("Plan:")[0].split("Changes")[-1], plan.stdout
    slow.it.start("h1")
    stays(slow)
    finished(slow)


def test_the_target_dies(slow: Scene) -> None:
    begun = under_way(slow)
    slow.it.stop("h2")
    failed(begun, "host h2 went away", "from host h1")
    assert slow.machines("h1") == {"box": "running"}
    plan = slow.run("plan")
    assert "h2 ✗ unreachable" in plan.stdout, plan.stdout + plan.stderr
    slow.it.start("h2")
    stays(slow)
    finished(slow)


def test_the_program_is_killed_while_it_travels(slow: Scene) -> None:
    begun = under_way(slow)
    begun.kill()
    begun.communicate()
    eventually(lambda: slow.travels("h1"), False)
    eventually(lambda: slow.machines("h2"), {})
    stays(slow)
    finished(slow)


def test_the_program_is_killed_while_it_carries_one_that_is_off(slow: Scene) -> None:
    slow.it.run("h1", "virsh", "-q", "destroy", "box")
    slow.write(box=on("h1", state="stopped"))
    slow.apply()
    slow.write(box=on("h2", state="stopped"))
    begun = slow.begin_move()
    eventually(lambda: slow.disks("h2"), slow.disks("h1"))
    begun.kill()
    begun.communicate()
    assert slow.machines("h1") == {"box": "shut off"}
    assert slow.holds("h1", "box", SIZE)
    finished(slow)


@pytest.mark.parametrize("moment", ["move instance.box", "[4/", "[5/", "[6/", "delete instance.box"])
def test_the_program_is_killed_at_any_moment(scene: Scene, moment: str) -> None:
    scene.write(box=on("h1"))
    scene.apply()
    scene.fill("h1", "box", SIZE)
    scene.write(box=on("h2"))
    begun = scene.begin("apply", "-y", "--parallelism", "1")
    scene.heard(begun, moment)
    begun.kill()
    begun.communicate()
    eventually(lambda: sum(len(scene.machines(host)) for host in scene.it.names), 1)
    finished(scene)


def test_status_shows_it_once_while_it_travels(slow: Scene) -> None:
    begun = under_way(slow)
    shown = json.loads(slow.run("status", "--format", "json").stdout)["instances"]
    assert [(row["host"], row["state"], row["problems"]) for row in shown] == [("h1", "running", ["moving to h2"])]
    said = begun.communicate(timeout=SOON)[1]
    assert begun.returncode == 0, said
    (row,) = json.loads(slow.run("status", "--format", "json").stdout)["instances"]
    assert (row["host"], row["problems"]) == ("h2", [])


def test_an_address_that_its_host_does_not_have_is_refused_before_anything_is_sent_there(scene: Scene) -> None:
    scene.write(box=on("h1"))
    has = scene.it.seats["h2"].address
    text = scene.spec.read_text().replace(f"address: {has}", "address: 198.51.100.99")
    scene.spec.write_text(text)
    line, shown = next((at, one) for at, one in enumerate(text.splitlines(), 1) if "198.51.100.99" in one)
    done = scene.run("apply", "-y")
    assert done.returncode == 1, done.stderr
    assert f"{scene.spec.name}:{line}:{shown.index('address:') + 1}" in done.stderr
    assert "host.h2: its address 198.51.100.99 is not one of that machine's, which are" in done.stderr
    assert str(has) in done.stderr
    assert scene.machines("h1") == {}
