"""Ctrl-C in the middle of a move: the machine is where it was, and the next apply moves it."""

import signal

import pytest

from tests.effort import PATIENCE
from tests.lab.begun import Begun
from tests.lab.eventually import eventually
from tests.moves.scene import MIB, Scene, on

pytestmark = pytest.mark.real
SIZE = 12 * MIB
"""At 1 MiB a second: time enough."""


def interrupted(scene: Scene, begun: Begun, state: str) -> None:
    begun.send_signal(signal.SIGINT)
    said = begun.communicate(timeout=PATIENCE)[1]
    assert begun.returncode == 130, said
    assert "Traceback" not in said
    assert "interrupted" in said
    assert scene.machines("h1") == {"box": state}
    assert scene.starting("h1") == (["box"] if state == "running" else [])
    assert scene.machines("h2") == {}
    assert scene.disks("h2") == []
    again = scene.run("plan")
    assert "host h1 → h2" in again.stdout, again.stdout + again.stderr


def finished(scene: Scene, state: str) -> None:
    scene.bandwidth = "0"
    scene.write(box=on("h2", state="stopped" if state == "shut off" else "running"))
    scene.apply()
    assert scene.machines("h1") == {}
    assert scene.machines("h2") == {"box": state}
    assert scene.holds("h2", "box", SIZE)
    scene.settled()


def test_a_live_move(scene: Scene) -> None:
    scene.bandwidth = "1MiB"
    scene.write(box=on("h1"))
    scene.apply()
    scene.fill("h1", "box", SIZE)
    scene.write(box=on("h2"))
    begun = scene.begin_move()
    eventually(lambda: scene.travels("h1"), True)
    interrupted(scene, begun, "running")
    finished(scene, "running")


def test_a_move_of_one_that_is_off(scene: Scene) -> None:
    scene.bandwidth = "1MiB"
    scene.write(box=on("h1", state="stopped"))
    scene.apply()
    scene.fill("h1", "box", SIZE)
    scene.write(box=on("h2", state="stopped"))
    begun = scene.begin_move()
    eventually(lambda: scene.disks("h2"), scene.disks("h1"))
    interrupted(scene, begun, "shut off")
    finished(scene, "shut off")
