"""Which files somebody has begun to write and not closed yet: pure. What such a file holds is half of something, even
where it could be read as a whole. files.py hears of it and asks."""

from collections.abc import Iterable
from dataclasses import field

from cloudsync.model.dataclass import dataclass

STILL = 1.0
"""Seconds after the last change when it no longer counts as being written: a log's writer never closes it, and network
file systems and other systems than Linux do not tell of closing."""

MOST = 30.0
"""Seconds after the first change when it no longer does, though it goes on changing."""


@dataclass(slots=True)
class Writing:
    """Times are in seconds, on any clock."""

    still: float = STILL
    most: float = MOST
    _open: dict[str, tuple[float, float]] = field(default_factory=dict)

    def changed(self, path: str, now: float) -> None:
        began = self._open[path][0] if path in self._open else now
        self._open[path] = began, now

    def closed(self, path: str) -> None:
        """By its writer; or it is gone, or another is in its place: who replaces a file has written it before."""
        self._open.pop(path, None)

    def any(self, paths: Iterable[str]) -> bool:
        """Whether one of these is being written."""
        return any(path in self._open for path in paths)

    def due(self) -> float | None:
        """When to ask for `rest`; None as long as nothing is being written."""
        return min(map(self._until, self._open.values()), default=None)

    def rest(self, now: float) -> bool:
        """Take out what no longer counts; whether there was any."""
        before = len(self._open)
        self._open = {path: times for path, times in self._open.items() if self._until(times) > now}
        return len(self._open) < before

    def _until(self, times: tuple[float, float]) -> float:
        began, last = times
        return min(last + self.still, began + self.most)
