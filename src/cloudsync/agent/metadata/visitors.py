"""Who is connected: each source address with its connections and what it may still ask for."""

from collections.abc import Iterator
from typing import Protocol

from cloudsync.agent.metadata.bucket import Bucket
from cloudsync.agent.metadata.limits import Limits


class Expiring(Protocol):
    def expire(self, now: float) -> None:
        """Close when out of time."""

    def retire(self) -> None:
        """Answer once more at most."""


class Visitor:
    """One source address."""

    __slots__ = ("bucket", "connections")

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.connections: set[Expiring] = set()


class Visitors:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._visitors: dict[str, Visitor] = {}

    def enter(self, source: str, connection: Expiring, now: float) -> Visitor | None:
        """None when `source` has as many connections as it may have. A connection costs as much as a request."""
        visitor = self._visitors.get(source)
        if visitor is None:
            visitor = self._visitors[source] = Visitor(Bucket(self._limits.rate, self._limits.burst, now))
        if len(visitor.connections) >= self._limits.connections:
            return None
        visitor.connections.add(connection)
        visitor.bucket.take()
        return visitor

    def sweep(self, now: float) -> None:
        """Once a second: close what takes too long, forget sources that owe nothing."""
        for connection in list(self._connections()):
            connection.expire(now)
        gone = [name for name, seen in self._visitors.items() if not seen.connections and seen.bucket.full(now)]
        for name in gone:
            del self._visitors[name]

    @property
    def busy(self) -> bool:
        """Whether anybody is connected."""
        return any(True for _ in self._connections())

    def retire(self) -> None:
        """Nobody comes any more; let those who are here go as soon as they have their answers."""
        for connection in list(self._connections()):
            connection.retire()

    def _connections(self) -> Iterator[Expiring]:
        for visitor in self._visitors.values():
            yield from visitor.connections
