"""Places for all units of a small batch at once, by trying: the unit with fewest hosts left first, the tightest host
first, back when one has none. Bounded by steps, so that the same input gives the same answer on any machine."""

from collections.abc import Collection, Mapping, Sequence

from cloudsync.scheduler.batch import Batch
from cloudsync.scheduler.unit import Unit

UNITS = 100
"""A batch that is larger is not searched."""
_STEPS = 2000


def search(batch: Batch, wanted: Sequence[Unit], shut: Collection[str] = ()) -> Mapping[str, str] | None:
    """A host for every one by its name, none of them in `shut`; None when none was found. `batch` has none of them."""
    if len(wanted) > UNITS:
        return None
    found = _Search(batch, wanted, frozenset(shut))
    return found.seats if found.go() else None


class _Search:
    def __init__(self, batch: Batch, wanted: Sequence[Unit], shut: frozenset[str]) -> None:
        self.seats: dict[str, str] = {}
        self._steps = _STEPS
        self._open = {unit.name: unit for unit in wanted}
        self._may = {unit.name: [host for host in batch.able(unit) if host not in shut] for unit in wanted}
        used = {host for hosts in self._may.values() for host in hosts}
        self._free = {
            name: (room.limit.vcpus - room.vcpus, room.limit.memory - room.memory, room.limit.disk - room.disk)
            for name, room in batch.rooms.items()
            if name in used
        }
        self._total = {name: tuple(max(1, part) for part in free) for name, free in self._free.items()}
        self._members = {name: dict(batch.rooms[name].members) for name in self._free}
        self._needs = {unit.name: _needs(unit) for unit in wanted}
        self._most = {
            unit.name: unit.group.max_per_host if unit.group and unit.group.policy == "anti-affinity" else 0
            for unit in wanted
        }

    def go(self) -> bool:
        """Whether all that are open have been given a seat."""
        if not self._open:
            return True
        if self._steps <= 0 or self._short():
            return False
        self._steps -= 1
        choices = {name: self._fitting(unit) for name, unit in self._open.items()}
        name = min(choices, key=lambda one: (len(choices[one]), -self._bulk(one), one))
        unit = self._open.pop(name)
        seen = set()
        for host in sorted(choices[name], key=lambda one: (self._slack(one, name), one)):
            looks = (self._free[host], tuple(sorted(self._members[host].items())), self._welcomes(host))
            if looks in seen:
                continue
            seen.add(looks)
            before = self._sit(unit, host)
            if self.go():
                return True
            self._rise(unit, host, before)
        self._open[name] = unit
        return False

    def _welcomes(self, host: str) -> tuple[str, ...]:
        """What else may go there: two hosts are only the same if this is."""
        return tuple(name for name in sorted(self._open) if host in self._may[name])

    def _fitting(self, unit: Unit) -> list[str]:
        needs, most = self._needs[unit.name], self._most[unit.name]
        group = unit.group.name if unit.group else ""
        return [
            host
            for host in self._may[unit.name]
            if needs[0] <= self._free[host][0]
            and needs[1] <= self._free[host][1]
            and needs[2] <= self._free[host][2]
            and (not most or self._members[host].get(group, 0) < most)
        ]

    def _short(self) -> bool:
        """Whether all hosts together have too little of something."""
        free = [sum(one[at] for one in self._free.values()) for at in range(3)]
        needed = [sum(self._needs[name][at] for name in self._open) for at in range(3)]
        return any(need > have for need, have in zip(needed, free, strict=True))

    def _bulk(self, name: str) -> float:
        """How much of the largest host it takes."""
        return max(need / max(total[at] for total in self._total.values()) for at, need in enumerate(self._needs[name]))

    def _slack(self, host: str, name: str) -> float:
        left = zip(self._free[host], self._needs[name], self._total[host], strict=True)
        return sum((free - need) / total for free, need, total in left)

    def _sit(self, unit: Unit, host: str) -> tuple[int, int, int]:
        before = self._free[host]
        needs = self._needs[unit.name]
        self._free[host] = (before[0] - needs[0], before[1] - needs[1], before[2] - needs[2])
        self.seats[unit.name] = host
        if unit.group:
            self._members[host][unit.group.name] = self._members[host].get(unit.group.name, 0) + 1
        return before

    def _rise(self, unit: Unit, host: str, before: tuple[int, int, int]) -> None:
        self._free[host] = before
        del self.seats[unit.name]
        if unit.group:
            self._members[host][unit.group.name] -= 1


def _needs(unit: Unit) -> tuple[int, int, int]:
    flavor = unit.whole.takes
    return (flavor.vcpus, flavor.memory, flavor.disk)
