"""`stop`, `start`, `reboot` and `console` on a real machine, by hand behind the spec's back."""

import os
import pty
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.baddays.test_interrupt import run
from tests.lab.cloud import blank_cloud, running_agent

pytestmark = pytest.mark.real
LEAVE = b"\x1d"
"""Ctrl-]."""


def virsh(*words: str) -> str:
    command = ["virsh", "--quiet", "--connect", "qemu:///system", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_power_by_hand_and_the_serial_console(tmp_path: Path) -> None:
    spec = blank_cloud(tmp_path, count=1)
    with running_agent():
        assert run(spec, "apply", "-y").returncode == 0
        first = virsh("domid", "box-1")
        assert run(spec, "reboot", "box-1", "--force").returncode == 0
        assert virsh("domid", "box-1") != first
        assert console(spec) == 0
        assert run(spec, "plan", "--detailed-exitcode").returncode == 0
        assert run(spec, "stop", "box-1", "--force").returncode == 0
        assert virsh("domstate", "box-1") == "shut off"
        assert run(spec, "console", "box-1").returncode == 1
        assert "should be running" in run(spec, "plan").stdout
        assert run(spec, "start", "box-1").returncode == 0
        assert run(spec, "plan", "--detailed-exitcode").returncode == 0
        assert run(spec, "destroy", "-y", "--allow-destroy").returncode == 0


def console(spec: Path) -> int:
    """Opened on a terminal of its own, which virsh asks for, and left by its key once it answers."""
    pid, terminal = pty.fork()
    if pid == 0:
        command = [sys.executable, "-m", "cloudsync", "-f", str(spec), "console", "box-1"]
        os.execv(command[0], command)  # noqa: S606
    said = b""
    with suppress(OSError):
        while b"Escape character" not in said:
            said += os.read(terminal, 4096)
        # virsh says that it listens before it does, and throws away what was typed until then.
        while True:
            os.write(terminal, LEAVE)
            if select.select([terminal], [], [], 0.1)[0] and not os.read(terminal, 4096):
                break
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    return code
