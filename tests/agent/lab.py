"""One agent process in a folder of its own."""

import os
import signal
import socket
from pathlib import Path

from cloudsync.hosts.agent_client import AgentClient
from tests.agent.nursery import begun
from tests.agent.parts import Recorder, recorders
from tests.effort import PATIENCE
from tests.lab.copied import Process

REPOSITORY = Path(__file__).parents[2]


class Lab:
    """`start` returns when the agent says that it is ready (sd_notify), so nothing here waits for a time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.socket = root / "a.sock"
        self.client = AgentClient(self.socket, "kvm-1")
        self.parts = root / "parts"
        self.parts.mkdir()
        os.mkfifo(self.parts / "boots")
        (root / "consoles").mkdir()
        self.process: Process | None = None

    @property
    def first(self) -> Recorder:
        return recorders(self.parts)[0]

    @property
    def second(self) -> Recorder:
        return recorders(self.parts)[1]

    @property
    def pool(self) -> Path:
        return self.root / "pool"

    @property
    def log(self) -> str:
        return (self.root / "log").read_text()

    def start(self) -> None:
        notify = self.root / "n.sock"
        notify.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(notify))
            ready.settimeout(PATIENCE)
            self.process = self.launch({"NOTIFY_SOCKET": str(notify)})
            assert ready.recv(100) == b"READY=1"

    def launch(self, more: dict[str, str] | None = None) -> Process:
        return begun(self.root, os.environ | {"NO_PROXY": "*"} | (more or {}), self.root / "log")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status."""
        assert self.process is not None
        process, self.process = self.process, None
        process.send_signal(number)
        return process.wait(PATIENCE)

    def hold(self, name: str) -> None:
        """From now on `apply` of that part says that it began, and waits."""
        os.mkfifo(self.parts / f"{name}.entered")
        os.mkfifo(self.parts / f"{name}.release")

    def entered(self, name: str) -> None:
        """Returns when it has begun."""
        (self.parts / f"{name}.entered").read_text()

    def let_go(self, name: str) -> None:
        """It goes on, and is held no more."""
        (self.parts / f"{name}.entered").unlink()
        (self.parts / f"{name}.release").write_text("")
        (self.parts / f"{name}.release").unlink()
