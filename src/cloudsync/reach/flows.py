"""What may pass between any two of many network cards: worked out once for each two that rules tell apart."""

from collections.abc import Iterable

from cloudsync.model.resources import Direction
from cloudsync.reach.judge import Side
from cloudsync.reach.kinds import Kinds
from cloudsync.reach.service import ANY, Service, union

Services = tuple[Service, ...]


class Flows:
    """Over one scene; what depends on an address that is not decided does not count."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._halves: dict[tuple[int, frozenset[str]], Services] = {}
        self._met: dict[tuple[Services, Services], Services] = {}

    def between(self, sources: Iterable[Side], targets: Iterable[Side]) -> Services:
        """In normal form; both sides of every pair agree to it."""
        found = [self._pair(source, target) for source in sources for target in targets]
        return found[0] if len(found) == 1 else union(tuple(service for one in found for service in one))

    def _pair(self, source: Side, target: Side) -> Services:
        halves = self._half(source, Direction.EGRESS, target), self._half(target, Direction.INGRESS, source)
        if halves not in self._met:
            both = (one.meet(other) for one in halves[0] for other in halves[1])
            self._met[halves] = union(tuple(service for service in both if service))
        return self._met[halves]

    def _half(self, side: Side, direction: Direction, other: Side) -> Services:
        if side.port is None or not side.port.guarded:
            return (ANY,)
        held = side.port.laws(direction)
        key = id(held), self._kinds.terms(other.spot)
        if key not in self._halves:
            self._halves[key] = union(tuple(law.service for law in held if law.meets(other.spot) is True))
        return self._halves[key]
