"""A host on another machine: one ssh connection carries agent and libvirt, and is gone when the command is."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cloudsync.cli.machine import Found
from cloudsync.cli.ssh import connect
from cloudsync.hosts.host import Host
from cloudsync.hosts.line import Line
from cloudsync.model.cloud import Cloud
from cloudsync.model.cloud import Host as Wanted
from cloudsync.spec.remote import remote
from tests.cli.test_ssh import WEB
from tests.effort import PATIENCE
from tests.fleet.conftest import PROGRAM, Desk
from tests.fleet.sshd import Sshd, sshd
from tests.lab.eventually import eventually

pytestmark = pytest.mark.real


def sshs() -> list[str]:
    """Command lines of the ssh clients that run here."""
    listed = subprocess.run(["ps", "-C", "ssh", "-o", "args="], capture_output=True, text=True)
    return [line for line in listed.stdout.splitlines() if line.strip()]


def test_a_cloud_on_a_remote_host(desk: Desk, server: Sshd, agent: object) -> None:
    try:
        desk.done("apply", "-y")
        assert server.connections == 1
        assert desk.done("plan", "--detailed-exitcode").endswith("Nothing to do.\n")
        assert server.connections == 2
        (box,) = json.loads(desk.done("status", "--format", "json"))["instances"]
        assert (box["name"], box["host"], box["state"]) == ("box-1", "far", "running")
        desk.done("logs", "box-1")
        checks = json.loads(desk.done("doctor", "--format", "json"))
        verdicts = {one["name"]: one["verdict"] for one in checks["checks"] if one["host"] == "far"}
        assert (verdicts["ssh"], verdicts["libvirt"], verdicts["agent"]) == ("ok", "ok", "ok")
        assert sshs() == []
    finally:
        desk.done("destroy", "-y", "--allow-destroy")


def test_a_server_is_heard_telling_its_keys(server: Sshd) -> None:
    """By the words of the ssh that is here: were they others, the agent would be asked late for nothing."""
    there = remote(server.uri)
    assert there
    local = ("-o", "PermitLocalCommand=yes", "-o", "LocalCommand=echo ready")
    line = Line((there.program, "-v", "-N", *local, *there.arguments, "--", there.host), "ready")
    try:
        assert line.greeted.wait(PATIENCE)
        assert not line.ended.is_set()
    finally:
        line.end()


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where nobody else has sockets."""
    with TemporaryDirectory(dir="/run") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def test_no_ssh_outlives_a_command_that_is_killed(desk: Desk, server: Sshd, agent: object, runtime: Path) -> None:
    """`logs --denied --follow` goes on until it is ended."""
    desk.spec.write_text(desk.spec.read_text() + "security_groups: {default: {log_denied: true}}\n")
    try:
        desk.done("apply", "-y")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            command = [*PROGRAM, "-f", str(desk.spec), "logs", "--denied", "--follow", "box-1"]
            follower = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            assert follower.stdout
            assert follower.stdout.readline()
            assert len(sshs()) == 1
            os.kill(follower.pid, number)
            follower.wait(PATIENCE)
            follower.stdout.close()
            eventually(sshs, [])
        desk.done("status")
        assert list(runtime.iterdir()) == []
    finally:
        desk.done("destroy", "-y", "--allow-destroy")


def test_a_guest_is_reached_through_its_host(server: Sshd, agent: object, tmp_path: Path) -> None:
    """A second sshd stands in for the guest: it is asked by the first, over the connection that there is."""
    with sshd(tmp_path / "guest") as guest:
        driver = Host(Wanted(name="far", uri=server.uri), "demo")
        try:
            state = driver.observe()
            assert state.reachable, state.reason
            one = replace(WEB, nics=(replace(WEB.nics[0], address="127.0.0.1"),))
            machine = Found(Cloud(name="demo", digest="", path=""), one, state, driver)
            key = (guest.folder / "host_key.pub").read_text().strip()
            (guest.folder / "config").write_text((guest.folder / "config").read_text() + "SetEnv PLACE=guest\n")
            words = ["-p", str(guest.port), "-l", "root", "-i", f"{guest.folder}/key", 'test "$PLACE" = guest']
            assert connect(machine, (key,), words) == 0
            assert (server.connections, guest.connections) == (1, 1)
            server.configure("AllowTcpForwarding no")
            server.cut()
            assert connect(machine, (key,), words) == 255
        finally:
            driver.close()
