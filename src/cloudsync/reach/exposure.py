"""Two scenes, before and after -> what becomes reachable and what stops being so: the plan's Exposure. A picture asks
for what stays so, too.

Instances that rules told apart neither before nor after are one actor, and so are addresses outside.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import field
from itertools import islice

from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Exposed, Exposure
from cloudsync.model.resources import Rule
from cloudsync.reach.ends import INTERNET, in_order
from cloudsync.reach.flows import Flows, Services
from cloudsync.reach.judge import Side
from cloudsync.reach.kinds import Kinds, laws
from cloudsync.reach.lines import Said, lines
from cloudsync.reach.outside import holes, pieces
from cloudsync.reach.scene import Port, Scene
from cloudsync.reach.service import Service, minus, shared
from cloudsync.reach.spot import EVERYWHERE


@dataclass(frozen=True, slots=True)
class Actor:
    """Those who are alike. `before` and `after` are one's network cards then; none while it did not exist.

    `touched`: it differs, so what it reaches and what reaches it may differ.
    """

    names: tuple[str, ...]
    before: tuple[Side, ...]
    after: tuple[Side, ...]
    outside: bool
    touched: bool


MOST = 250_000
"""Pairs that are compared. What a spec of strangers costs grows with the square of the instances that rules tell apart:
these take a few seconds."""

Members = Mapping[str, Sequence[str]]

Relation = dict[tuple[int, int], Services]
"""Two actors, by number -> what the one may send to the other."""


@dataclass(frozen=True, slots=True)
class Differing:
    """Of the pairs that were compared; `left` is what those of whom something is removed may send after that."""

    added: Relation = field(default_factory=dict)
    removed: Relation = field(default_factory=dict)
    left: Relation = field(default_factory=dict)
    kept: Relation = field(default_factory=dict)


def exposure(before: Scene, after: Scene, members: Members | None = None, most: int = MOST) -> Exposure:
    """An instance is the same in both when it has the same name there. It may stand for `members`, which are like it in
    both, and is the first of them. Of more than `most` pairs the rest is left out, and counted."""
    actors, then, now = _seen(before, after, members or {})
    pairs, untold = _pairs(actors, {number for number, actor in enumerate(actors) if actor.touched}, most)
    return _lines(actors, _compared(pairs, actors, then, now), untold)


def overview(before: Scene, after: Scene) -> tuple[tuple[Exposed, ...], Exposure]:
    """What is reachable in both, and how the rest differs."""
    actors, then, now = _seen(before, after, {})
    pairs, untold = _pairs(actors, set(range(len(actors))), MOST)
    found = _compared(pairs, actors, then, now, kept=True)
    return lines(_said(_told_once(found.kept, actors), {}), _named(actors)), _lines(actors, found, untold)


def _seen(before: Scene, after: Scene, members: Members) -> tuple[list[Actor], Flows, Flows]:
    outside = list(pieces(EVERYWHERE, INTERNET, holes(before, after), [*laws(before.ports), *laws(after.ports)]))
    spots = [spot for _, spot in outside]
    then, now = Kinds(before, spots), Kinds(after, spots)
    actors = [
        Actor((label,), (Side(spot),), (Side(spot),), True, then.terms(spot) != now.terms(spot))
        for label, spot in outside
    ]
    actors += _instances(before, after, then, now, members)
    return actors, Flows(then), Flows(now)


def _lines(actors: list[Actor], found: Differing, untold: int) -> Exposure:
    named = _named(actors)
    added = _said(_told_once(found.added, actors), {})
    removed = _said(_told_once(found.removed, actors), found.left)
    return Exposure(added=lines(added, named), removed=lines(removed, named), untold=untold)


def _named(actors: list[Actor]) -> list[tuple[bool, tuple[str, ...]]]:
    return [(actor.outside, actor.names) for actor in actors]


def _instances(before: Scene, after: Scene, then: Kinds, now: Kinds, members: Members) -> Iterator[Actor]:
    alike: dict[tuple[frozenset[object], frozenset[object]], list[str]] = {}
    for name in sorted({*before.of, *after.of}, key=in_order):
        kinds = (
            frozenset(then.of(port) for port in before.of.get(name, ())),
            frozenset(now.of(port) for port in after.of.get(name, ())),
        )
        alike.setdefault(kinds, []).append(name)
    for ones in alike.values():
        names = [name for one in ones for name in members.get(one, (one,))]
        names = sorted(names, key=in_order) if len(names) > len(ones) > 1 else names
        old, new = before.of.get(names[0], ()), after.of.get(names[0], ())
        yield Actor(
            names=tuple(f"instance.{name}" for name in names),
            before=tuple(Side(port.spot, port) for port in old),
            after=tuple(Side(port.spot, port) for port in new),
            outside=False,
            touched=_character(old, then) != _character(new, now),
        )


def _character(ports: Iterable[Port], kinds: Kinds) -> set[tuple[object, ...]]:
    """All that decides what an instance's cards reach, in words that mean the same before and after."""
    return {(_rules(port), port.guarded, kinds.terms(port.spot)) for port in ports}


def _rules(port: Port) -> tuple[tuple[Rule, ...], ...]:
    return tuple(tuple(law.rule for law in held) for held in (port.egress, port.ingress))


def _pairs(actors: list[Actor], touched: Set[int], most: int) -> tuple[Iterable[tuple[int, int]], int]:
    """Those to be compared, and how many more there would be. Only where one of the two is touched they can differ."""
    outside = [number for number, actor in enumerate(actors) if actor.outside]
    inside = [number for number, actor in enumerate(actors) if not actor.outside]
    outside.sort(key=lambda number: actors[number].names != (INTERNET,))
    differing = [number for number in inside if number in touched]
    across = 2 * sum(len(inside if far in touched else differing) for far in outside)
    among = len(inside) ** 2 - (len(inside) - len(differing)) ** 2
    told = islice(_ordered(outside, inside, differing, touched), most)
    return told, max(0, across + among - most)


def _ordered(
    outside: list[int], inside: list[int], differing: list[int], touched: Set[int]
) -> Iterator[tuple[int, int]]:
    """What matters most is first: the internet, then other addresses outside, then instances among themselves."""
    for far in outside:
        for near in inside if far in touched else differing:
            yield far, near
            yield near, far
    for one in inside:
        yield from ((one, other) for other in (inside if one in touched else differing))


def _compared(
    pairs: Iterable[tuple[int, int]], actors: list[Actor], then: Flows, now: Flows, kept: bool = False
) -> Differing:
    """`kept`: what stays so is asked for too."""
    found = Differing()
    for pair in pairs:
        one, other = actors[pair[0]], actors[pair[1]]
        old = then.between(one.before, other.before) if one.before and other.before else ()
        new = now.between(one.after, other.after) if one.after and other.after else ()
        if kept:
            found.kept[pair] = new if old == new else shared(old, new)
        if old != new:
            found.added[pair] = minus(new, old)
            found.removed[pair], found.left[pair] = minus(old, new), new
    return found


def _told_once(relation: Relation, actors: list[Actor]) -> Relation:
    """Outside, what is true of the internet is not said again of a piece of it."""
    rest = next((number for number, actor in enumerate(actors) if actor.names == (INTERNET,)), -1)
    found: Relation = {}
    for (one, other), services in relation.items():
        wider = (rest if actors[one].outside else one, rest if actors[other].outside else other)
        told = relation.get(wider, ()) if wider != (one, other) else ()
        kept = minus(services, told) if told else services
        if kept:
            found[one, other] = kept
    return found


def _said(relation: Relation, left: Relation) -> Said:
    """In words. Where a service stops being so but for what is `left` of it, that is said."""
    return {
        pair: tuple(_but(service, left.get(pair, ())) for service in services) for pair, services in relation.items()
    }


def _but(service: Service, left: Services) -> str:
    kept = ", ".join(str(one) for one in left if service.covers(one))
    return f"{service} except {kept}" if kept else str(service)
