"""A place for what greedy placement left over, by moving units of the same batch about; what lives is never moved.

The search is bounded by tries, not by time: the same input gives the same answer on any machine.
"""

from collections.abc import Hashable, Iterable, Iterator
from itertools import chain, combinations

from cloudsync.scheduler.batch import Batch
from cloudsync.scheduler.unit import Unit

TRIES, EACH = 500, 100
"""Ways that are tried for a whole batch, and for one unit."""
_DEPTH = 3
_AT_ONCE = 2
"""How long a chain of moves may be, and how many units of one host may make room together."""


class Seats:
    """Where the units of a batch are; `batch` knows who lives there besides."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.host: dict[str, str] = {}
        self._on: dict[str, dict[str, Unit]] = {}
        self._journal: list[tuple[Unit, str | None]] = []
        self._left = TRIES

    def sit(self, unit: Unit, host: str) -> None:
        self._move(unit, host)

    def rise(self, unit: Unit) -> None:
        self._move(unit, None)

    def on(self, host: str) -> list[Unit]:
        """Smallest first."""
        return sorted(self._on.get(host, {}).values(), key=_size)

    def used(self) -> list[str]:
        """Hosts that have units of the batch."""
        return sorted(name for name, units in self._on.items() if units)

    def idle(self) -> set[str]:
        """Hosts with no machine at all."""
        return {name for name, room in self.batch.rooms.items() if not (room.vcpus or room.memory or room.disk)}

    def empty(self, host: str) -> bool:
        """Whether all units of the batch on it went to other hosts that are in use; else none did."""
        mark = self.mark()
        leaving = self.on(host)
        for unit in leaving:
            self.rise(unit)
        idle = self.idle()
        done = all(self._fit(unit, 2, frozenset({host} | idle)) for unit in reversed(leaving))
        if not done:
            self.back_to(mark)
        return done

    def mark(self) -> int:
        return len(self._journal)

    def back_to(self, mark: int) -> None:
        """Undo everything since."""
        while len(self._journal) > mark:
            unit, host = self._journal.pop()
            self._put(unit, host)

    def repaired(self, left: Iterable[Unit]) -> list[Unit]:
        """What has no place even when others are moved about. Of those that ask for the same, one that finds none
        speaks for the rest."""
        hopeless: set[Hashable] = set()
        found, self._left = [], TRIES
        for unit in left:
            if unit.asks in hopeless or not self._repair(unit):
                hopeless.add(unit.asks)
                found.append(unit)
        return found

    def _repair(self, unit: Unit) -> bool:
        tries = min(EACH, self._left)
        before, self._left = self._left, tries
        found = self._fit(unit, _DEPTH, frozenset())
        self._left = before - (tries - self._left)
        return found

    def _fit(self, unit: Unit, depth: int, barred: frozenset[str]) -> bool:
        host, _ = self.batch.best(unit, barred)
        if host:
            self.sit(unit, host)
            return True
        return depth > 0 and any(self._make_room(unit, name, depth, barred) for name in self._candidates(unit, barred))

    def _candidates(self, unit: Unit, barred: frozenset[str]) -> Iterator[str]:
        return (name for name in self.batch.able(unit) if name not in barred and self._on.get(name))

    def _make_room(self, unit: Unit, host: str, depth: int, barred: frozenset[str]) -> bool:
        """Whether others on the host find places elsewhere so that the unit fits there."""
        here = self.on(host)
        for leaving in chain.from_iterable(combinations(here, many) for many in range(1, _AT_ONCE + 1)):
            if self._left <= 0:
                return False
            if not self._enough(unit, host, leaving):
                continue
            self._left -= 1
            mark = self.mark()
            for one in leaving:
                self.rise(one)
            if self.batch.why(unit, host) is None:
                self.sit(unit, host)
                if all(self._fit(one, depth - 1, barred | {host}) for one in reversed(leaving)):
                    return True
            self.back_to(mark)
        return False

    def _enough(self, unit: Unit, host: str, leaving: tuple[Unit, ...]) -> bool:
        """Whether their going makes room enough, or lets the unit's group in."""
        room, needed = self.batch.rooms[host], unit.whole.takes
        gone = [one.whole.takes for one in leaving]
        return (
            room.vcpus + needed.vcpus - sum(one.vcpus for one in gone) <= room.limit.vcpus
            and room.memory + needed.memory - sum(one.memory for one in gone) <= room.limit.memory
            and room.disk + needed.disk - sum(one.disk for one in gone) <= room.limit.disk
        )

    def _move(self, unit: Unit, host: str | None) -> None:
        self._journal.append((unit, self.host.get(unit.name)))
        self._put(unit, host)

    def _put(self, unit: Unit, host: str | None) -> None:
        old = self.host.pop(unit.name, None)
        if old:
            self.batch.lift(unit, old)
            del self._on[old][unit.name]
        if host:
            self.host[unit.name] = host
            self.batch.seat(unit, host)
            self._on.setdefault(host, {})[unit.name] = unit


def _size(unit: Unit) -> tuple[int, int, int, str]:
    flavor = unit.whole.takes
    return (flavor.memory, flavor.vcpus, flavor.disk, unit.name)
