"""`ssh NAME …`: what reaches OpenSSH and what comes back. A script in its place writes down what it was given."""

import json
import sys
from pathlib import Path

import pytest
import typer

from cloudsync.cli.machine import Found
from cloudsync.cli.main import app
from cloudsync.cli.ssh import connect
from cloudsync.hosts.sim import SimHost
from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.resources import Instance, Nic
from cloudsync.model.snapshot import HostState, HostStatus
from tests.cli.terminal import Terminal

KEYS = ("ssh-ed25519 AAAAhost",)
WEB = Instance(
    name="web",
    uuid="3b1c6f5e-0000-4000-8000-000000000001",
    incarnation=0,
    host="h1",
    image="",
    image_name="",
    flavor="small",
    vcpus=1,
    memory=1,
    disk=1,
    nics=(Nic(network="default", address="10.20.0.9", mac="", tap=""),),
)


@pytest.fixture
def machine(tmp_path: Path) -> Found:
    host = HostState(name="h1", status=HostStatus.READY)
    return Found(Cloud(name="demo", digest="", path=""), WEB, host, SimHost("h1", "sim:", tmp_path))


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `ssh` that writes its arguments and its configuration to the file returned, and ends as $STUB_ENDS says."""
    program, seen = tmp_path / "bin" / "ssh", tmp_path / "seen.json"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\nconfig = open(sys.argv[2]).read()\n"
        f"json.dump([sys.argv, config], open({str(seen)!r}, 'w'))\nexec(os.environ['STUB_ENDS'])\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setenv("STUB_ENDS", "sys.exit(0)")
    return seen


def typed(*words: str) -> dict[str, object]:
    command = typer.main.get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    with command.commands["ssh"].make_context("ssh", list(words)) as context:
        return dict(context.params)


@pytest.mark.parametrize(
    "words",
    [
        ("-L", "80:x:80", "--", "uptime"),
        ("-v", "uptime"),
        ("--", "bash -s"),
        ("uptime", "-p"),
        ("tar", "--", "x"),
        ("--help",),
        ("-f", "x"),
    ],
)
def test_what_stands_after_the_name_reaches_ssh_as_it_is(words: tuple[str, ...]) -> None:
    assert typed("web", *words) == {"name": "web", "arguments": list(words)}


def test_ssh_is_given_the_name_and_then_the_arguments(machine: Found, stub: Path) -> None:
    assert connect(machine, KEYS, ["-L", "80:x:80", "--", "uptime"]) == 0
    (argv, config) = json.loads(stub.read_text())
    assert argv[1] == "-F"
    assert argv[3:] == ["web", "-L", "80:x:80", "--", "uptime"]
    assert "HostName 10.20.0.9" in config
    assert not Path(argv[2]).exists()


@pytest.mark.parametrize(
    ("ends", "code"), [("sys.exit(127)", 127), ("sys.exit(3)", 3), ("os.kill(os.getpid(), 9)", 137)]
)
def test_the_code_of_ssh_is_passed_on(
    machine: Found, stub: Path, monkeypatch: pytest.MonkeyPatch, ends: str, code: int
) -> None:
    monkeypatch.setenv("STUB_ENDS", ends)
    assert connect(machine, KEYS, []) == code


def test_no_ssh_at_all_is_told(machine: Found, stub: Path) -> None:
    (stub.parent / "bin" / "ssh").unlink()
    with pytest.raises(CloudsyncError, match="ssh is not there"):
        connect(machine, KEYS, [])


def test_options_of_ssh_do_not_stand_before_the_name(terminal: Terminal) -> None:
    assert terminal.type("ssh", "-v", "web").code == 64
