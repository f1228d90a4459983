"""Hosts in order of preference for instances that ask for the same, kept up to date as hosts fill up.

A scheduler that looks at every host again for every instance is what makes 10,000 instances on 1,000 hosts slow: here
only the host that was just filled is looked at again.
"""

from collections.abc import Mapping

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.scheduler.filters import CHANGING, FIXED, affinity, why_not
from cloudsync.scheduler.room import Room
from cloudsync.scheduler.scores import SCORES, scale, weight

GONE = float("-inf")


class Ranking:
    """For all instances that differ from `wanted` in nothing that a host cares about, names aside."""

    def __init__(self, cloud: Cloud, wanted: Wanted, rooms: Mapping[str, Room]) -> None:
        self._cloud, self._wanted = cloud, wanted
        self._fixed = {name: why_not(FIXED, cloud, wanted, room) for name, room in rooms.items()}
        self._able = [room for name, room in rooms.items() if not self._fixed[name]]
        self._index = {room.host.name: number for number, room in enumerate(self._able)}
        self._refused: dict[str, str | None] = {}
        weights = {name: weight(cloud, name) for name in SCORES}
        self._weights = {name: heavy for name, heavy in weights.items() if heavy}
        self._columns = {name: [0.0] * len(self._able) for name in self._weights}
        self._scales: dict[str, tuple[float, float]] = {}
        self._totals: list[float] = []
        self._homes: frozenset[str] = frozenset()
        self._told: dict[str, str] | None = None
        self._open: list[int] | None = None
        for number in range(len(self._able)):
            self._look(number)

    def refresh(self, changed: Mapping[str, Room], homes: frozenset[str]) -> None:
        """Hosts in `changed` have been filled; `homes` are those that the placement group is on now."""
        again = [self._index[name] for name in changed if name in self._index]
        if homes != self._homes:
            self._homes = homes
            again = list(range(len(self._able)))
        for number in again:
            self._look(number)

    def best(self, barred: Mapping[str, str]) -> tuple[str | None, str | None]:
        """The best host and the next best, None where there is none; ties go by name. `barred` hosts are left out."""
        self._score()
        totals = self._totals
        hidden = {self._index[name]: totals[self._index[name]] for name in barred if name in self._index}
        for number in hidden:
            totals[number] = GONE
        first, second = self._two_best()
        for number, total in hidden.items():
            totals[number] = total
        return first, second

    def refusals(self) -> dict[str, str]:
        """Why not, by host in name order; shared between calls until something changes."""
        if self._told is None:
            both = {**self._fixed, **self._refused}
            self._told = {name: reason for name in self._fixed if (reason := both[name])}
        return self._told

    def _look(self, number: int) -> None:
        room = self._able[number]
        reason = why_not(CHANGING, self._cloud, self._wanted, room)
        reason = reason or affinity(self._cloud, self._wanted, room, self._homes)
        if self._refused.get(room.host.name, "") != reason:
            self._refused[room.host.name] = reason
            self._told = self._open = None
        for name, column in self._columns.items():
            column[number] = SCORES[name](self._cloud, self._wanted, room)
        if self._totals:
            self._totals[number] = self._total(number)

    def _score(self) -> None:
        """All totals again when the scale moved."""
        if self._open is None:
            self._open = [number for number, room in enumerate(self._able) if not self._refused[room.host.name]]
        open_to = self._open
        if not open_to:
            self._totals = [GONE] * len(self._able)
            self._scales = {}
            return
        everywhere = len(open_to) == len(self._able)
        scales = {
            name: scale(name, column if everywhere else [column[number] for number in open_to])
            for name, column in self._columns.items()
        }
        if scales != self._scales or not self._totals:
            self._scales = scales
            self._totals = [self._total(number) for number in range(len(self._able))]

    def _total(self, number: int) -> float:
        if self._refused[self._able[number].host.name]:
            return GONE
        total = 0.0
        for name, (low, span) in self._scales.items():
            if span:
                total += self._weights[name] * max(0.0, self._columns[name][number] - low) / span
        return round(total, 9)

    def _two_best(self) -> tuple[str | None, str | None]:
        totals = self._totals
        found: list[int] = []
        kept: list[float] = []
        for _ in range(2):
            top = max(totals, default=GONE)
            if top == GONE:
                break
            found.append(totals.index(top))
            kept.append(top)
            totals[found[-1]] = GONE
        for number, total in zip(found, kept, strict=True):
            totals[number] = total
        names = [self._able[number].host.name for number in found] + [None, None]
        return names[0], names[1]
