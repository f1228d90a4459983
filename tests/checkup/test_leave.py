"""What a host is left with: all that `host setup` puts there has a command that takes it away, but for disks."""

import shlex
from pathlib import Path

import pytest

from cloudsync.agent.checkup.fitness import Machine, fitness
from cloudsync.agent.checkup.leave import leave
from cloudsync.model.checkup import Verdict
from cloudsync.model.problem import CloudsyncError
from tests.house.tree import TOP

PROGRAM = "/opt/cloudsync/bin/cloudsync"
PACKAGING = TOP / "src/cloudsync/packaging"


def put(root: Path, name: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def installed() -> list[str]:
    """The paths below / that the commands of `host setup` make."""
    found = Machine(units={}, user=False, linked=False, program=PROGRAM, sources=str(PACKAGING))
    lines = next(one.fix for one in fitness(found) if one.name == "units" and one.verdict is Verdict.PROBLEM)
    words = [shlex.split(line) for line in lines]
    files = [line[-1] for line in words if line[0] in ("ln", "install") and "-t" not in line]
    into = next(line for line in words if "-t" in line)
    folder = into[into.index("-t") + 1]
    return [*files, *(f"{folder}/{Path(one).name}" for one in into if one.endswith(".service"))]


def test_a_machine_without_any_of_it_needs_no_file_taken_away(tmp_path: Path) -> None:
    assert not [line for line in leave(tmp_path, PROGRAM) if str(tmp_path) in line or "systemctl" in line]


def test_what_setup_puts_there_goes(tmp_path: Path) -> None:
    paths = [name.lstrip("/") for name in installed()]
    for name in paths:
        if name.startswith("usr/local/bin"):
            (tmp_path / name).parent.mkdir(parents=True)
            (tmp_path / name).symlink_to(PROGRAM)
        else:
            put(tmp_path, name)
    paths.append("var/log/libvirt/qemu/cloudsync-uuid.log")
    put(tmp_path, paths[-1])
    lines = leave(tmp_path, PROGRAM)
    removed = shlex.split(next(line for line in lines if line.startswith("rm ")))
    assert {str(tmp_path / name) for name in paths} <= set(removed)
    assert lines[0] == "systemctl disable --now cloudsync-agent cloudsync-guard"
    assert "systemctl daemon-reload" in lines


def test_a_program_of_that_name_which_is_not_ours_stays(tmp_path: Path) -> None:
    put(tmp_path, "usr/local/bin/cloudsync")
    assert not [line for line in leave(tmp_path, PROGRAM) if str(tmp_path) in line]


def test_watches_end_and_the_agent_is_uninstalled_before_its_folders_go(tmp_path: Path) -> None:
    put(tmp_path, "etc/systemd/system/cloudsync-agent.service")
    put(tmp_path, "etc/systemd/system/multi-user.target.wants/cloudsync-watch@demo.service")
    put(tmp_path, "var/lib/cloudsync/agent/document.json")
    (tmp_path / "var/lib/cloudsync/pool/unchecked").mkdir(parents=True)
    lines = [line for line in leave(tmp_path, PROGRAM) if "virsh" not in line]
    assert lines[:2] == [
        "systemctl disable --now cloudsync-watch@demo.service cloudsync-agent",
        f"{PROGRAM} agent --uninstall",
    ]
    assert f"rm -r {tmp_path}/var/lib/cloudsync" in lines


def test_disks_are_nobodys_to_delete(tmp_path: Path) -> None:
    disk = put(tmp_path, "var/lib/cloudsync/pool/uuid.root.qcow2")
    with pytest.raises(CloudsyncError, match="still disks") as refused:
        leave(tmp_path, PROGRAM)
    assert str(disk) in refused.value.message
    assert "cloudsync destroy" in refused.value.hint
