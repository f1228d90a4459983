"""Connections without a network: bytes go in, what comes out is kept, and time stands still until it is moved."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from cloudsync.agent.metadata.connection import Connection
from cloudsync.agent.metadata.desk import Desk
from cloudsync.agent.metadata.limits import Limits
from cloudsync.agent.metadata.visitors import Visitors
from tests.metadata import world


class Loop:
    def __init__(self) -> None:
        self.now = 0.0
        self._later: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, what: Callable[[], None]) -> "Loop":
        self._later.append((self.now + delay, what))
        return self

    def cancel(self) -> None:
        self._later.clear()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        due = [what for when, what in self._later if when <= self.now]
        self._later = [(when, what) for when, what in self._later if when > self.now]
        for what in due:
            what()


class Transport(asyncio.Transport):
    def __init__(self, source: str) -> None:
        self.source = source
        self.written = b""
        self.unsent = 0
        self.closed = self.aborted = self.paused = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return (self.source, 40000) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.aborted
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Service:
    """Connections of several sources to one desk with the two records of world.py."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.loop = Loop()
        self.limits = limits or Limits()
        self.visitors = Visitors(self.limits)
        self.desk = Desk(lambda _uuid, _report: True, clock=self.loop.time)
        self.desk.change(world.two_records().values(), ())

    def connect(self, source: str = world.ADDRESS_A) -> tuple[Connection, Transport]:
        loop = cast(asyncio.AbstractEventLoop, self.loop)
        connection, transport = Connection(self.desk, self.visitors, self.limits, loop), Transport(source)
        connection.connection_made(transport)
        return connection, transport
