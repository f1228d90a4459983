"""This machine as a host behind ssh: its own libvirt and agent, reached by an sshd of the test."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fleet.sshd import Sshd, sshd
from tests.lab.cloud import blank_cloud, running_agent
from tests.lab.copied import Process
from tests.lab.typed import typed

PROGRAM = [sys.executable, "-m", "cloudsync"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    with sshd(tmp_path / "sshd") as found:
        yield found


@pytest.fixture
def agent() -> Iterator[Process]:
    with running_agent() as found:
        yield found


@dataclass(frozen=True)
class Desk:
    """Where a person types: a spec of one remote host, named `far`."""

    spec: Path

    def write(self, uri: str, more: str = "", count: int = 1) -> None:
        text = blank_cloud(self.spec.parent, count).read_text()
        self.spec.write_text(text.replace("here:", f"{more}  far:" if more else "far:").replace("qemu:///system", uri))

    def type(self, *words: str) -> subprocess.CompletedProcess[str]:
        return typed(self.spec, *words, env={**os.environ, "NO_COLOR": "1"})

    def done(self, *words: str) -> str:
        found = self.type(*words)
        assert found.returncode == 0, found.stdout + found.stderr
        return found.stdout

    def failed(self, *words: str) -> str:
        found = self.type(*words)
        assert found.returncode == 1, found.stdout + found.stderr
        assert "Traceback" not in found.stderr
        return found.stdout + found.stderr


@pytest.fixture
def desk(tmp_path: Path, server: Sshd) -> Desk:
    found = Desk(tmp_path / "cloud.yaml")
    found.write(server.uri)
    return found
