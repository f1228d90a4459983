"""The latest denials of every port, in memory that cannot grow, told to whoever follows them.

reader.py writes from its thread, app.py reads and follows.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock

from cloudsync.agent.firewall.denied import Port
from cloudsync.model.denial import Denial

PER_PORT = 128
"""Different denials that are remembered for each side of a port; the one unseen for longest goes first."""
PORTS = 8192
_WAITING = 256
"""Denials that a slow follower may be behind; the rest is left out."""

_Key = tuple[object, ...]
_Listener = tuple[asyncio.AbstractEventLoop, "asyncio.Queue[Denial]", frozenset[str]]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Record:
    """Calls may come from any thread. `clock` says what time it is, in ISO 8601."""

    def __init__(self, clock: Callable[[], str] = _now) -> None:
        self._clock = clock
        self._lock = Lock()
        self._ports: OrderedDict[Port, OrderedDict[_Key, Denial]] = OrderedDict()
        self._listeners: set[_Listener] = set()

    def add(self, port: Port, denial: Denial) -> None:
        """One more packet."""
        with self._lock:
            ring = self._ring(port)
            key = (denial.protocol, denial.source, denial.target, denial.target_port, denial.icmp)
            known, now = ring.get(key), self._clock()
            denial = replace(
                denial, count=known.count + 1 if known else 1, first=known.first if known else now, last=now
            )
            ring[key] = denial
            ring.move_to_end(key)
            if len(ring) > PER_PORT:
                ring.popitem(last=False)
            self._tell(port, denial)

    def of(self, taps: Iterable[str]) -> tuple[Denial, ...]:
        """What is remembered of these taps, the latest last."""
        wanted = frozenset(taps)
        with self._lock:
            found = [denial for port, ring in self._ports.items() if port.tap in wanted for denial in ring.values()]
        return tuple(sorted(found, key=lambda denial: (denial.last, denial.first)))

    def keep(self, taps: Iterable[str]) -> None:
        """Forget every other tap."""
        wanted = frozenset(taps)
        with self._lock:
            for port in [port for port in self._ports if port.tap not in wanted]:
                del self._ports[port]

    async def follow(self, taps: Iterable[str]) -> AsyncIterator[Denial]:
        """Each denial of these taps from now on, for ever."""
        queue: asyncio.Queue[Denial] = asyncio.Queue(_WAITING)
        listener = (asyncio.get_running_loop(), queue, frozenset(taps))
        with self._lock:
            self._listeners.add(listener)
        try:
            while True:
                yield await queue.get()
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def _ring(self, port: Port) -> OrderedDict[_Key, Denial]:
        ring = self._ports.setdefault(port, OrderedDict())
        self._ports.move_to_end(port)
        if len(self._ports) > PORTS:
            self._ports.popitem(last=False)
        return ring

    def _tell(self, port: Port, denial: Denial) -> None:
        for loop, queue, taps in self._listeners:
            if port.tap in taps:
                with suppress(RuntimeError):  # that loop has ended
                    loop.call_soon_threadsafe(_offer, queue, denial)


def _offer(queue: "asyncio.Queue[Denial]", denial: Denial) -> None:
    with suppress(asyncio.QueueFull):
        queue.put_nowait(denial)
