"""Rules in normal form: equivalent ways to write the same thing give equal rules. Pure; `expand` calls it.

Ports are cut where any rule starts or ends, and for each piece the prefixes are merged and what they cover is dropped.
Pieces are joined again prefix by prefix, across ports at which somebody wider is let in. So the result depends on what
is allowed, not on how it is said, and rules that do not touch stay as they were written.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, collapse_addresses
from itertools import pairwise

from cloudsync.model.dataclass import dataclass
from cloudsync.model.resources import WITH_PORTS, Direction, Rule

EVERY_PORT = (1, 65535)
EVERYBODY = IPv4Network("0.0.0.0/0")
Remote = IPv4Network | str
"""A prefix, or the name of a group, a network or an instance."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom some traffic is allowed from or to. No two `prefixes` meet or could be one."""

    prefixes: frozenset[IPv4Network] = frozenset()
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, remotes: Iterable[Remote]) -> "Reach":
        found = set(remotes)
        prefixes = frozenset(collapse_addresses(one for one in found if isinstance(one, IPv4Network)))
        names = frozenset() if EVERYBODY in prefixes else frozenset(one for one in found if isinstance(one, str))
        return cls(prefixes, names)

    @property
    def remotes(self) -> frozenset[Remote]:
        return self.prefixes | self.names

    def covers(self, remote: Remote) -> bool:
        if isinstance(remote, str):
            return remote in self.names or EVERYBODY in self.prefixes
        return remote in self.prefixes or any(remote.subnet_of(one) for one in self.prefixes)

    def beyond(self, wider: "Reach") -> "Reach":
        """What has to be said besides `wider` so that both together allow what they do.

        Prefixes that lie in `wider` by half are halved, not more: without that, one address taken out of a /8 would
        leave 24 prefixes.
        """
        if not wider.remotes:
            return self
        both = Reach.of(self.remotes | wider.remotes)
        kept = (one for one in both.prefixes if not wider.covers(one))
        return Reach(frozenset(_narrowed(one, wider) for one in kept), both.names - wider.names)


def _narrowed(prefix: IPv4Network, wider: Reach) -> IPv4Network:
    while prefix.prefixlen < 32:
        low, high = prefix.subnets()
        if wider.covers(low):
            prefix = high
        elif wider.covers(high):
            prefix = low
        else:
            break
    return prefix


@lru_cache(maxsize=4096)
def _parsed(remote: str) -> Remote:
    if remote == "any":
        return EVERYBODY
    return IPv4Network(remote) if remote[0].isdigit() else remote


def _written(remote: Remote) -> str:
    return "any" if remote == EVERYBODY else str(remote)


def normal(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The same permissions in normal form, sorted."""
    given = set(rules)
    found = [rule for direction in Direction for rule in _direction([r for r in given if r.direction is direction])]
    return tuple(sorted(found, key=Rule.key))


def allowed(rules: tuple[Rule, ...], rule: Rule) -> bool:
    """Whether `rules`, in normal form, allow all that `rule` does."""
    return normal((*rules, rule)) == rules


def _direction(rules: Collection[Rule]) -> Iterator[Rule]:
    if not rules:
        return
    direction = next(iter(rules)).direction
    everything = Reach.of(_parsed(rule.remote) for rule in rules if rule.protocol == "any")
    for remote in everything.remotes:
        yield Rule(direction=direction, remote=_written(remote))
    for protocol in {rule.protocol for rule in rules} - {"any"}:
        own = [rule for rule in rules if rule.protocol == protocol]
        if protocol in WITH_PORTS:
            yield from _ports(own, everything)
        else:
            yield from _types(own, everything)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Ports at which the same is allowed: `said` has to be said for them, `all` is what comes of it."""

    first: int
    last: int
    said: Reach
    all: Reach


def _ports(rules: Collection[Rule], everything: Reach) -> Iterator[Rule]:
    pieces = list(_pieces(rules, everything))
    places: dict[Remote, list[int]] = {}
    for index, piece in enumerate(pieces):
        for remote in piece.said.remotes:
            places.setdefault(remote, []).append(index)
    sample = next(iter(rules))
    for remote, at in places.items():
        for start, stop in _runs(remote, at, pieces):
            span = (pieces[start].first, pieces[stop].last)
            ports = None if span == EVERY_PORT else span
            yield Rule(direction=sample.direction, protocol=sample.protocol, ports=ports, remote=_written(remote))


def _pieces(rules: Iterable[Rule], everything: Reach) -> Iterator[_Piece]:
    """In order and without gaps: nothing may be allowed in some of them."""
    edges: dict[int, list[tuple[Remote, int]]] = {}
    for rule in rules:
        first, last = rule.ports or EVERY_PORT
        edges.setdefault(first, []).append((_parsed(rule.remote), 1))
        edges.setdefault(last + 1, []).append((_parsed(rule.remote), -1))
    counts: Counter[Remote] = Counter()
    for start, stop in pairwise(sorted(edges)):
        for remote, more in edges[start]:
            counts[remote] += more
        own = Reach.of(+counts)
        both = Reach.of(own.remotes | everything.remotes) if everything.remotes else own
        yield _Piece(start, stop - 1, own.beyond(everything), both)


def _runs(remote: Remote, at: Sequence[int], pieces: Sequence[_Piece]) -> Iterator[tuple[int, int]]:
    """The pieces `at` which `remote` has to be said, as few runs of them as allow no more than is allowed."""
    start = at[0]
    for here, there in pairwise(at):
        if not all(piece.all.covers(remote) for piece in pieces[here + 1 : there]):
            yield start, here
            start = there
    yield start, at[-1]


def _types(rules: Collection[Rule], everything: Reach) -> Iterator[Rule]:
    """ICMP, and protocols that have neither ports nor types."""
    by_icmp: dict[tuple[int, int | None] | None, set[Remote]] = {}
    for rule in rules:
        by_icmp.setdefault(rule.icmp, set()).add(_parsed(rule.remote))
    sample = next(iter(rules))
    for icmp, remotes in by_icmp.items():
        wider = set(everything.remotes)
        if icmp is not None:
            wider |= by_icmp.get(None, set())
            if icmp[1] is not None:
                wider |= by_icmp.get((icmp[0], None), set())
        for remote in Reach.of(remotes).beyond(Reach.of(wider)).remotes:
            yield Rule(direction=sample.direction, protocol=sample.protocol, icmp=icmp, remote=_written(remote))
