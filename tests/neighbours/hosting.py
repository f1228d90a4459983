"""A host of stand-in guests (tests/lab/standins.py), in whose namespace the whole real agent runs."""

import os
import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloudsync.hosts.agent_client import AgentClient
from cloudsync.model.document import HostDocument
from cloudsync.model.obstacle import Obstacle
from tests.lab import copied
from tests.lab.standins import PATIENCE, Lab, standins


@dataclass(frozen=True)
class Hosting:
    """`document` is in force."""

    lab: Lab
    agent: AgentClient
    document: HostDocument

    def obstacles(self) -> tuple[Obstacle, ...]:
        return self.agent.host().obstacles

    def fix(self, obstacle: Obstacle) -> None:
        """Type exactly what is printed."""
        for line in obstacle.fix:
            self.lab.host.run(*shlex.split(line))


@contextmanager
def hosting(document: HostDocument, folder: Path) -> Iterator[Hosting]:
    """Until the block ends; the agent's files are in `folder`."""
    folder.chmod(0o755)
    with standins(document) as lab, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.bind(str(folder / "n.sock"))
        ready.settimeout(PATIENCE)
        options = ["--socket", str(folder / "a.sock")]
        for option in ("state", "pool", "run"):
            options += [f"--{option}", str(folder / option)]
        environment = os.environ | {"NOTIFY_SOCKET": str(folder / "n.sock")}
        agent = copied.agent(options, environment, folder / "log", lab.host)
        try:
            assert ready.recv(100) == b"READY=1", (folder / "log").read_text()
            client = AgentClient(folder / "a.sock", "kvm-1")
            client.put_document(document, 0)
            yield Hosting(lab, client, document)
        finally:
            agent.terminate()
            agent.wait(PATIENCE)
