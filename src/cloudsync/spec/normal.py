"""Rules in normal form: equivalent ways to write the same thing give equal rules. Pure; `expand` calls it.

Ports are cut where any rule starts or ends; for each piece the prefixes are merged and what they cover is dropped; then
pieces that touch are joined again, prefix by prefix. So the result depends on what is allowed, not on how it is said.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses
from itertools import pairwise

from cloudsync.model.resources import Direction, Rule
from cloudsync.spec.rules import WITH_PORTS

EVERY_PORT = (1, 65535)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom some traffic is allowed from or to: everybody, or prefixes and names."""

    anywhere: bool
    prefixes: tuple[IPv4Network, ...]
    names: frozenset[str]

    @classmethod
    def of(cls, remotes: Iterable[str]) -> "Reach":
        found = set(remotes)
        if "any" in found:
            return cls(True, (), frozenset())
        prefixes = collapse_addresses(IPv4Network(remote) for remote in found if remote[0].isdigit())
        names = frozenset(remote for remote in found if not remote[0].isdigit())
        return cls(False, tuple(prefixes), names)

    def without(self, wider: "Reach") -> "Reach":
        """What of it `wider` does not allow already; prefixes are kept or dropped whole."""
        if wider.anywhere:
            return Reach(False, (), frozenset())
        kept = [own for own in self.prefixes if not any(own.subnet_of(other) for other in wider.prefixes)]
        return Reach(self.anywhere, tuple(kept), self.names - wider.names)

    def remotes(self) -> Iterator[str]:
        if self.anywhere:
            yield "any"
        yield from map(str, self.prefixes)
        yield from self.names


def normal(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The same permissions in normal form, sorted."""
    given = set(rules)
    found = [rule for direction in Direction for rule in _direction([r for r in given if r.direction is direction])]
    return tuple(sorted(found, key=Rule.key))


def _direction(rules: Collection[Rule]) -> Iterator[Rule]:
    if not rules:
        return
    direction = next(iter(rules)).direction
    everything = Reach.of(rule.remote for rule in rules if rule.protocol == "any")
    for remote in everything.remotes():
        yield Rule(direction=direction, remote=remote)
    for protocol in {rule.protocol for rule in rules} - {"any"}:
        own = [rule for rule in rules if rule.protocol == protocol]
        if protocol in WITH_PORTS:
            yield from _ports(own, everything)
        else:
            yield from _types(own, everything)


def _ports(rules: Collection[Rule], everything: Reach) -> Iterator[Rule]:
    spans = [(rule.ports or EVERY_PORT, rule.remote) for rule in rules]
    cuts = sorted({first for (first, _), _ in spans} | {last + 1 for (_, last), _ in spans})
    joined: dict[str, list[tuple[int, int]]] = {}
    for start, stop in pairwise(cuts):
        reach = Reach.of(remote for (first, last), remote in spans if first <= start <= last)
        for remote in reach.without(everything).remotes():
            pieces = joined.setdefault(remote, [])
            if pieces and pieces[-1][1] + 1 == start:
                pieces[-1] = (pieces[-1][0], stop - 1)
            else:
                pieces.append((start, stop - 1))
    sample = next(iter(rules))
    for remote, pieces in joined.items():
        for piece in pieces:
            ports = None if piece == EVERY_PORT else piece
            yield Rule(direction=sample.direction, protocol=sample.protocol, ports=ports, remote=remote)


def _types(rules: Collection[Rule], everything: Reach) -> Iterator[Rule]:
    """ICMP, and protocols that have neither ports nor types."""
    by_icmp: dict[tuple[int, int | None] | None, set[str]] = {}
    for rule in rules:
        by_icmp.setdefault(rule.icmp, set()).add(rule.remote)
    sample = next(iter(rules))
    for icmp, remotes in by_icmp.items():
        reach = Reach.of(remotes).without(everything)
        if icmp is not None:
            reach = reach.without(Reach.of(by_icmp.get(None, ())))
            if icmp[1] is not None:
                reach = reach.without(Reach.of(by_icmp.get((icmp[0], None), ())))
        for remote in reach.remotes():
            yield Rule(direction=sample.direction, protocol=sample.protocol, icmp=icmp, remote=remote)
