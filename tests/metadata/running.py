"""The part with its real process on a free port of loopback; what it reports can be waited for.

The process is ended with the block, unless `leave` was called.
"""

import os
import select
import signal
from collections import Counter
from pathlib import Path
from queue import Queue
from types import TracebackType
from typing import Self

from cloudsync.agent.metadata import predecessor
from cloudsync.agent.metadata.limits import Limits
from cloudsync.agent.metadata.service import MetadataPart
from cloudsync.agent.metadata.tally import Counts
from cloudsync.model.snapshot import Boot
from tests.effort import PATIENCE
from tests.metadata.guest import Answer, Guest, ask


class Running:
    def __init__(self, state: Path, limits: Limits | None = None, port: int = 0) -> None:
        self.boots: Queue[Boot] = Queue()
        self.state = state
        self.asked: Queue[Counts] = Queue()
        told = (self.boots.put, "127.0.0.1", limits, self.asked.put)
        self.part = MetadataPart(port, state, *told)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.part.close()
        predecessor.end(self.state)

    def leave(self) -> None:
        """As an agent that stops."""
        self.part.close()

    @property
    def port(self) -> int:
        return self.part.port

    @property
    def pid(self) -> int:
        assert self.part.pid is not None
        return self.part.pid

    def guest(self, source: str) -> Guest:
        return Guest(source, self.port)

    def ask(self, source: str, path: str, method: str = "GET", body: bytes = b"") -> Answer:
        return ask(source, self.port, path, method, body)

    def answers(self, many: int) -> dict[tuple[str, int], int]:
        """How guests were answered, once the agent knows of so many."""
        found: Counter[tuple[str, int]] = Counter()
        while found.total() < many:
            found.update(self.asked.get(timeout=PATIENCE))
        return dict(found)

    def boot(self) -> Boot:
        """The next one reported."""
        return self.boots.get(timeout=PATIENCE)


def killed(pid: int) -> None:
    """Wait until it is gone: until then it may let guests in, who are cut off with it."""
    descriptor = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGKILL)
        select.select([descriptor], [], [], PATIENCE)
    finally:
        os.close(descriptor)


def ended(pid: int) -> bool:
    """Wait until a process is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], PATIENCE)[0])
    finally:
        os.close(descriptor)
