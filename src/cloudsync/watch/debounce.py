"""When files that stir have come to rest: pure. An editor empties, writes and renames; what it has half written is no
news. files.py looks at the files when this says so."""

from typing import Generic, TypeVar

from cloudsync.model.dataclass import dataclass

T = TypeVar("T")

QUIET = 0.02
MOST = 0.3
"""Seconds without a change that are rest, and after which even what never rests is told."""

GLANCES = (0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds after a stir: a rename may be told half a second late."""


@dataclass(slots=True)
class Debounce(Generic[T]):
    """`known` is what was told last. Times are in seconds, on any clock."""

    known: T
    _last: T | None = None
    _stirred: float | None = None
    _glance: int = 0
    _began: float | None = None

    def stir(self, now: float) -> None:
        """Something happened near the files. One look serves all that stirs before it."""
        due = self.due()
        if due is None or due > now + GLANCES[0]:
            self._stirred, self._glance = now, 0

    def due(self) -> float | None:
        """When to look; None as long as nothing stirs."""
        if self._stirred is None:
            return None
        return self._stirred + GLANCES[self._glance]

    def look(self, seen: T, now: float) -> bool:
        """Take in what the files are now; whether to tell of it."""
        if seen != self.known and seen == (self._last if self._began is not None else None):
            return self._told(seen)
        if seen == self.known:
            self._began = self._last = None
            self._next()
            return False
        if self._began is None:
            self._began = now
        elif now - self._began >= MOST:
            return self._told(seen)
        self._last, self._stirred, self._glance = seen, now, 1
        return False

    def _told(self, seen: T) -> bool:
        self.known, self._began, self._last = seen, None, None
        self._next()
        return True

    def _next(self) -> None:
        self._glance += 1
        if self._glance >= len(GLANCES):
            self._stirred = None
