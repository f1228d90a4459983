"""Network cards that no rule tells apart are of one kind: what is true of one is true of all.

So the work goes with the number of roles in a cloud, not with the number of its instances.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from cloudsync.reach.law import Law
from cloudsync.reach.scene import Port, Scene
from cloudsync.reach.spot import EVERYWHERE, NOWHERE, Range, Spot

Kind = tuple[int, int, bool, frozenset[str]]
"""The laws it is under, whether it is guarded, and which laws' other sides it is among."""


def laws(ports: Iterable[Port]) -> list[Law]:
    """Each law of these ports once, in order."""
    found: dict[int, Law] = {}
    for held in {id(held): held for port in ports for held in (port.egress, port.ingress)}.values():
        found.update((id(law), law) for law in held)
    return list(found.values())


class Kinds:
    def __init__(self, scene: Scene, more: Iterable[Spot] = ()) -> None:
        """`more` are spots outside, which are asked for their terms."""
        spots = [*(port.spot for port in scene.ports), *more]
        self._terms = {key: frozenset(found) for key, found in terms(laws(scene.ports), spots).items()}

    def of(self, port: Port) -> Kind:
        return (id(port.egress), id(port.ingress), port.guarded, self.terms(port.spot))

    def all_of(self, ports: Iterable[Port], placed: bool) -> frozenset[tuple[Kind, str]]:
        """`placed`: it matters on which host they are, as it does only for what a host itself sends."""
        return frozenset((self.of(port), port.host if placed else "") for port in ports)

    def terms(self, spot: Spot) -> frozenset[str]:
        """The other sides of rules that a spot is among, as rules call them; with a ? when that depends."""
        return self._terms.get(spot.key, frozenset())


def terms(asked: Iterable[Law], spots: Sequence[Spot]) -> dict[str, set[str]]:
    """By a spot's key. Two other sides of one name (hosts may not be at the same generation) get two terms."""
    known: dict[str, list[tuple[Range, frozenset[str]]]] = {}
    found: dict[str, set[str]] = {}
    crowd = _Crowd(spots)
    for law in asked:
        others = known.setdefault(law.rule.remote, [])
        if law.range == EVERYWHERE or (law.range, law.members) in others:
            continue
        term = law.rule.remote + "'" * len(others)
        others.append((law.range, law.members))
        for key in law.members:
            found.setdefault(key, set()).add(term)
        for key, sure in crowd.within(law.range):
            found.setdefault(key, set()).add(term if sure else f"?{term}")
    return found


class _Crowd:
    """Many spots, asked which of them are in a range."""

    def __init__(self, spots: Iterable[Spot]) -> None:
        every = {spot.key: spot for spot in spots}.values()
        decided = sorted((spot.first, spot.key) for spot in every if spot.decided)
        self._numbers = [number for number, _ in decided]
        self._keys = [key for _, key in decided]
        self._vague = [spot for spot in every if not spot.decided]

    def within(self, range_: Range) -> Iterator[tuple[str, bool]]:
        """Keys, each with whether it certainly is."""
        if range_ == NOWHERE:
            return
        inside = slice(bisect_left(self._numbers, range_[0]), bisect_right(self._numbers, range_[1]))
        yield from ((key, True) for key in self._keys[inside])
        for spot in self._vague:
            met = spot.within(range_)
            if met is not False:
                yield spot.key, met is True
