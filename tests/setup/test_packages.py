"""`setup/packages` on machines that lack something: stand-ins for Debian's programs write down what they are told."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.house import tree

pytestmark = pytest.mark.slow

SCRIPT = tree.TOP / "setup" / "packages"
SPLIT = ["libvirt-daemon-log", "libvirt-daemon-driver-storage"]
STANDINS = {
    "dpkg-query": 'sed "s/^/installed /" "$HERE/installed"; echo "config-files nftables"; exit 1',
    "apt-cache": 'grep -qx "$2" "$HERE/known"',
    "apt-get": 'echo "$@" >>"$HERE/done"',
    "id": 'cat "$HERE/uid"',
    "sudo": "exit 1",
}


@dataclass
class Machine:
    """A Debian that has every package but `lacks`, and whose apt also knows `knows`."""

    folder: Path

    def run(self, lacks: list[str], knows: list[str], uid: int) -> subprocess.CompletedProcess[str]:
        wanted = re.findall(
            r"[a-z][a-z0-9-]+", "".join(re.findall(r"needed=\(\n(.*?)\n\)", tree.text(SCRIPT), re.DOTALL))
        )
        (self.folder / "installed").write_text("\n".join(one for one in wanted if one not in lacks) + "\n")
        (self.folder / "known").write_text("\n".join(knows) + "\n")
        (self.folder / "uid").write_text(f"{uid}\n")
        path = f"{self.folder}:{os.environ['PATH']}"
        environment = {**os.environ, "HERE": str(self.folder), "PATH": path}
        return subprocess.run([str(SCRIPT)], env=environment, capture_output=True, text=True)

    @property
    def done(self) -> list[str]:
        file = self.folder / "done"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    for name, body in STANDINS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    return Machine(tmp_path)


def test_nothing_is_done_where_nothing_is_missing(machine: Machine) -> None:
    done = machine.run([], [], 1000)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_line_to_type_is_complete(machine: Machine) -> None:
    done = machine.run(["nftables"], SPLIT, 1000)
    assert done.returncode == 1
    line = f"sudo apt-get update && sudo apt-get install --no-install-recommends nftables {' '.join(SPLIT)}"
    assert line in done.stderr


def test_packages_that_only_newer_releases_have_are_missed_too(machine: Machine) -> None:
    done = machine.run([], SPLIT, 1000)
    assert done.returncode == 1
    assert " ".join(SPLIT) in done.stderr


def test_root_installs_them_after_asking_what_there_is(machine: Machine) -> None:
    done = machine.run(["nftables"], SPLIT, 0)
    assert done.returncode == 0, done.stderr
    assert [line.split()[3] for line in machine.done] == ["update", "install"]
    assert machine.done[1].endswith(f"nftables {' '.join(SPLIT)}")
