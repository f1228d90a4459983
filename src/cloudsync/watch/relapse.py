"""What was put right and did not stay so: how often, and when it is the turn of that again. Pure; agenda.py asks.

Each address counts for itself: what one guest does over and over delays nobody else's repair.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Action, Change, Held, Plan
from cloudsync.watch.backoff import MOST

CALM = 600.0
"""Seconds without a repair of it after which the next one is the first again."""


@dataclass(frozen=True, slots=True)
class Resting:
    """An instance that is not put right before `at`: `times` repairs of it did not last."""

    address: str
    times: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Relapse:
    """`times` it was put right, at last at `at`; `due` is when it may be again."""

    times: int
    at: float

    @property
    def due(self) -> float:
        return self.at + min(MOST, 2.0 ** min(self.times - 1, 30))


class Relapses:
    """All times are in seconds of one clock."""

    def __init__(self) -> None:
        self._known: dict[str, Relapse] = {}

    def mended(self, addresses: Iterable[str], now: float) -> None:
        """These were put right, or it was tried. What came before its turn, since it went along with something else,
        changes nothing."""
        self._known = {address: one for address, one in self._known.items() if now - one.at <= CALM}
        for address in addresses:
            old = self._known.get(address)
            if old is None or now >= old.due:
                self._known[address] = Relapse(old.times + 1 if old else 1, now)

    def due(self, address: str) -> float:
        """Minus infinity of what was always well."""
        known = self._known.get(address)
        return known.due if known else float("-inf")

    def early(self, now: float) -> Mapping[str, Relapse]:
        """Whose turn it is not yet."""
        return {address: one for address, one in self._known.items() if one.due > now}


def mended(plan: Plan) -> tuple[str, ...]:
    """Instances, and hosts with what their agents keep, that `plan` puts right."""
    instances = {change.address for change in plan.changes if change.action is Action.REPAIR}
    others = {f"host.{one.host}" for one in plan.drift if one.repaired and one.address not in instances}
    return tuple(sorted(instances | others))


def rests(change: Change, resting: Collection[str]) -> bool:
    """Whether it is only put right. What a person changes of it is not delayed."""
    return change.action is Action.REPAIR and change.address in resting


def waiting(held: Iterable[Held], resting: Collection[str]) -> tuple[Held, ...]:
    """Without what waits for its time alone, and no person."""
    return tuple(one for one in held if not rests(one.change, resting))
