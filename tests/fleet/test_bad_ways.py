"""The way to a host does not lead there: the host is unreachable, and its reason says what to do."""

import json
from pathlib import Path
from time import monotonic

import pytest

from tests.fleet.conftest import Desk
from tests.fleet.sshd import Sshd, keygen
from tests.lab.cloud import running_agent

pytestmark = pytest.mark.real


def reason(desk: Desk) -> str:
    """Why the one host cannot be reached, as `status` has it."""
    (far,) = json.loads(desk.failed("status", "--format", "json"))["hosts"]
    assert far["status"] == "unreachable"
    return str(far["reason"])


def test_the_key_is_refused(desk: Desk, server: Sshd, tmp_path: Path) -> None:
    keygen(tmp_path / "other")
    desk.write(server.uri_with(keyfile=tmp_path / "other"))
    said = reason(desk)
    assert f"host far: ssh root@127.0.0.1:{server.port}: " in said
    assert "Permission denied (publickey)" in said
    assert f"{tmp_path}/other ED25519" in said
    assert "~root/.ssh/authorized_keys" in said
    checks = json.loads(desk.failed("doctor", "--format", "json"))["checks"]
    assert [one["name"] for one in checks if one["host"] == "far"] == ["ssh"]


def test_the_host_key_changed(desk: Desk, server: Sshd, tmp_path: Path) -> None:
    (tmp_path / "known").write_text(f"\n[127.0.0.1]:{server.port} {keygen(tmp_path / 'older')}")
    desk.write(server.uri_with(server.folder / "key", tmp_path / "known"))
    said = reason(desk)
    assert "Host key verification failed" in said
    assert f"{tmp_path}/known:2 says another" in said
    assert "ssh-ed25519 SHA256:" in said
    assert f"ssh-keygen -f {tmp_path}/known -R '[127.0.0.1]:{server.port}'" in said


def test_a_host_that_was_never_seen_is_not_trusted(desk: Desk, server: Sshd, tmp_path: Path) -> None:
    desk.write(server.uri_with(server.folder / "key", tmp_path / "nothing"))
    said = reason(desk)
    assert "Host key verification failed" in said
    assert "is not known here" in said
    assert f"log in once: ssh -p {server.port} root@127.0.0.1" in said
    assert not (tmp_path / "nothing").exists()


def test_the_name_is_unknown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here is no resolver to say so: it is given up soon."""
    monkeypatch.setenv("RES_OPTIONS", "timeout:1 attempts:1")
    desk.write("qemu+ssh://root@kvm-2.invalid/system")
    assert "Could not resolve hostname kvm-2.invalid" in reason(desk)


def test_nobody_listens(desk: Desk, server: Sshd) -> None:
    server.close()
    said = reason(desk)
    assert f"port {server.port}: Connection refused" in said
    assert "is sshd running there" in said


def test_a_host_that_takes_the_connection_and_says_nothing(desk: Desk, server: Sshd) -> None:
    """It costs its timeout, and then the plan goes on: here there is nothing else to plan with."""
    server.mute = True
    began = monotonic()
    assert "timed out" in reason(desk)
    assert monotonic() - began < 10


def test_the_agent_is_not_running_there(desk: Desk, server: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever greets those who log in, and whoever may not log in himself."""
    (server.folder / "banner").write_text("Welcome\n")
    greeting = f'ForceCommand echo Hello; eval "$SSH_ORIGINAL_COMMAND"\nBanner {server.folder}/banner'
    server.configure(f"{greeting}\nMaxSessions 1")
    monkeypatch.setenv("SHELL", "/usr/sbin/nologin")
    said = reason(desk)
    assert "the agent is not running: /run/cloudsync/agent.sock is not there" in said
    assert "systemctl start cloudsync-agent" in said


def test_a_machine_that_is_up_is_not_given_up(desk: Desk, server: Sshd) -> None:
    """Its guests run on without its agent."""
    desk.write(server.uri, more="near: {uri: 'sim:'}\n")
    said = desk.failed("plan", "--evacuate", "far")
    assert "host.far is up, and its guests may run" in said
    assert "switch the machine off first" in said
    server.close()
    assert "is up" not in desk.failed("plan", "--evacuate", "far")


def test_a_host_under_another_name_is_told_by_the_plan(desk: Desk, agent: object) -> None:
    """Its agent would refuse the document when others have theirs already."""
    desk.done("apply", "-y")
    written = desk.spec.read_text()
    try:
        desk.spec.write_text(written.replace("  far:", "  near:"))
        said = desk.type("plan")
        assert "it is host.far of this cloud: a host keeps its name" in said.stdout + said.stderr
        assert "agent" not in desk.failed("apply", "-y")
    finally:
        desk.spec.write_text(written)
        desk.done("destroy", "-y", "--allow-destroy")


def test_libvirt_is_not_running_there(desk: Desk, server: Sshd, agent: object) -> None:
    desk.write(f"{server.uri}&socket=/run/nowhere")
    assert "libvirt is not running: /run/nowhere is not there" in reason(desk)


def test_sockets_are_not_forwarded(desk: Desk, server: Sshd, agent: object) -> None:
    for barred in ("AllowStreamLocalForwarding no", "AllowTcpForwarding no"):
        server.configure(barred)
        said = reason(desk)
        assert "sshd there does not forward the agent's socket /run/cloudsync/agent.sock" in said
        assert barred.replace("no", "yes") in said
    server.configure("")
    allowed = server.folder / "authorized_keys"
    key = allowed.read_text()
    allowed.write_text(f'permitopen="localhost:80" {key}')
    assert f"take `permitopen` out of {allowed}:1 there" in reason(desk)
    allowed.write_text(f"restrict {key}")
    assert f"take `restrict` or `no-port-forwarding` out of {allowed}:1 there" in reason(desk)


def test_by_way_of_a_machine_that_cannot_get_there(desk: Desk, server: Sshd, tmp_path: Path) -> None:
    """The connection to the one on the way stays, if the person's configuration says so: it is not waited for."""
    at = f"127.0.0.1:{server.port}"
    config = (
        f"Host far\n  HostName localhost\n  HostKeyAlias [127.0.0.1]:{server.port}\n  Port 1\n  ProxyJump root@{at}\n"
    )
    kept = f"ControlMaster auto\n  ControlPath {tmp_path}/kept-%p\n  ControlPersist 60\n  RemoteCommand date"
    key = f"IdentityFile {server.folder}/key\n  UserKnownHostsFile {server.folder}/known_hosts"
    (tmp_path / "config").write_text(f"{config}Host *\n  {kept}\n  {key}\n")
    (tmp_path / "ssh").write_text(f'#!/bin/sh\nexec ssh -F {tmp_path}/config "$@"\n')
    (tmp_path / "ssh").chmod(0o755)
    desk.write(f"qemu+ssh://root@far/system?command={tmp_path}/ssh")
    said = reason(desk)
    assert f"by way of root@{at}: Stdio forwarding request failed" in said
    assert "is the host on" in said
    config = config.replace("Port 1", f"Port {server.port}")
    (tmp_path / "config").write_text(f"{config}Host *\n  {kept}\n  {key}\n")
    assert "the agent is not running" in reason(desk)
    assert server.connections == 2, "the one on the way, once, and the host"


def test_the_cable_is_pulled_and_put_back(desk: Desk, server: Sshd) -> None:
    """Between two commands nothing is remembered."""
    with running_agent():
        server.configure("MaxAuthTries 0")
        assert reason(desk)
        server.configure("")
        desk.done("status")
