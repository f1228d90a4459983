"""A watch under systemd: what it tells, over a real socket, and what its unit promises."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudsync.model.plan import Unplaced
from cloudsync.watch.happening import Beat, Ended, Ending, Ready, RoundBegan, RoundEnded
from cloudsync.watch.systemd import Systemd
from cloudsync.watch.trigger import Reason, Trigger
from tests.early.units import settings
from tests.house.tree import TOP

UNIT = TOP / "src/cloudsync/packaging/cloudsync-watch@.service"
WHY = (Trigger(Reason.COMMIT, "origin/main is at abcdef\x1b[2J"),)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield made


def told(systemd: socket.socket) -> list[list[str]]:
    found = []
    while True:
        try:
            found.append(systemd.recv(4096).decode().split("\n"))
        except BlockingIOError:
            return found


def ended(ending: Ending, **more: Any) -> RoundEnded:
    return RoundEnded(number=1, triggers=WHY, ending=ending, seconds=0.1, **more)


def test_ready_what_it_does_and_the_end(systemd: socket.socket) -> None:
    observer = Systemd()
    for happening in (
        Ready(),
        RoundBegan(1, WHY),
        Beat(),
        ended(Ending.APPLIED, commit="ab" * 20),
        ended(Ending.REFUSED, message="it is not signed", silent=("h3",)),
        ended(Ending.QUIET, unplaced=(Unplaced(instance="huge"),)),
        Ended(interrupted=False),
    ):
        observer(happening)
    assert told(systemd) == [
        ["READY=1", "STATUS=looking for the first time"],
        ["STATUS=looking: origin/main is at abcdef\\x1b[2J"],
        ["STATUS=all is as it is wanted; commit abababababab"],
        ["STATUS=refused; it is not signed; no answer from h3"],
        ["STATUS=quiet; no place for huge"],
        ["STOPPING=1", "STATUS=ended"],
    ]


def test_signs_of_life_come_twice_in_the_time_that_is_allowed(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    clock = Clock()
    observer = Systemd(clock=clock)
    for now in (0, 5, 9, 10, 11, 20):
        clock.now = now
        observer(Beat())
    assert told(systemd) == [["WATCHDOG=1"]] * 3


def test_no_sign_of_life_for_another_process(systemd: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    for usec, pid in (("20000000", "1"), ("", ""), ("x", "")):
        monkeypatch.setenv("WATCHDOG_USEC", usec)
        monkeypatch.setenv("WATCHDOG_PID", pid)
        Systemd()(Beat())
    assert told(systemd) == []


def test_without_systemd_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Systemd()(Ready())


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    """As an instance of it."""
    unit = tmp_path / "cloudsync-watch@demo.service"
    unit.write_text(UNIT.read_text())
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "cloudsync" in line]
    assert (ours, done.returncode) == ([], 0)
    unit.write_text(UNIT.read_text().replace("KillMode=mixed", "KillMood=mixed"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True)
    assert "KillMood" in done.stderr, "it does look"


def test_what_the_unit_promises() -> None:
    unit = settings(UNIT.read_text())
    assert unit["Type"] == ["notify"]
    assert unit["WatchdogSec"] == ["120"]
    assert unit["KillMode"] == ["mixed"], "ssh is needed until the steps have finished"
    assert unit["SuccessExitStatus"] == ["130"]
    user = next(line for line in (UNIT.with_name("watch-sysusers.conf")).read_text().splitlines() if line[:2] == "u ")
    assert user.split()[1] == unit["User"][0]
