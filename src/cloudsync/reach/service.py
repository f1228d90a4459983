"""What a connection is for: protocol and ports or ICMP type, as one thing, as a range, or as everything.

Rules, questions and answers are all made of these; `tcp/443` is how people write one.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from cloudsync.model.dataclass import dataclass
from cloudsync.model.resources import WITH_PORTS, Direction, Rule
from cloudsync.spec.normal import EVERY_PORT, normal
from cloudsync.spec.rules import RuleError, icmp_type, ports, protocol
from cloudsync.spec.words import quote

_NAMES = {"1": "icmp"} | {str(number): name for name, number in WITH_PORTS.items()}

_BARE_PORT = re.compile(r"25[6-9]|2[6-9][0-9]|[3-9][0-9]{2}|[1-9][0-9]{3,4}")
"""What is no protocol's number."""


@dataclass(frozen=True, slots=True)
class Service:
    """The fields are a Rule's, `protocol` never the number of one that has a name there."""

    protocol: str = "any"
    ports: tuple[int, int] | None = None
    icmp: tuple[int, int | None] | None = None

    def __str__(self) -> str:
        if self.ports:
            first, last = self.ports
            return f"{self.protocol}/{first}" if first == last else f"{self.protocol}/{first}-{last}"
        if self.icmp:
            kind, code = self.icmp
            return f"{self.protocol}/{kind}" if code is None else f"{self.protocol}/{kind}.{code}"
        return self.protocol

    @property
    def single(self) -> bool:
        """Whether a yes or no can answer for all of it: one port, one ICMP type, or a protocol that has neither."""
        if self.protocol in WITH_PORTS:
            return self.ports is not None and self.ports[0] == self.ports[1]
        return self.icmp is not None if self.protocol == "icmp" else self.protocol != "any"

    @property
    def ranged(self) -> bool:
        """Whether it is some ports of a protocol: a yes or no may be true of a part."""
        return self.ports is not None and not self.single

    def covers(self, other: "Service") -> bool:
        """Whether all of `other` is part of it."""
        if self.protocol == "any":
            return True
        if self.protocol != other.protocol:
            return False
        if self.ports is not None:
            return other.ports is not None and self.ports[0] <= other.ports[0] and other.ports[1] <= self.ports[1]
        if self.icmp is not None:
            return other.icmp is not None and self.icmp[0] == other.icmp[0] and self.icmp[1] in (None, other.icmp[1])
        return True

    def meet(self, other: "Service") -> "Service | None":
        """What is part of both."""
        if self.covers(other):
            return other
        if other.covers(self):
            return self
        if self.protocol != other.protocol or self.ports is None or other.ports is None:
            return None
        first, last = max(self.ports[0], other.ports[0]), min(self.ports[1], other.ports[1])
        return Service(self.protocol, (first, last)) if first <= last else None


ANY = Service()


def of_rule(rule: Rule) -> Service:
    """What a rule is about, whatever its other side."""
    return Service(_NAMES.get(rule.protocol, rule.protocol), rule.ports, rule.icmp)


@lru_cache(maxsize=4096)
def of_packet(number: int, port: int | None, icmp: tuple[int, int] | None) -> Service:
    """What one packet is; `number` is its protocol's."""
    name = _NAMES.get(str(number), str(number))
    return Service(name, None if port is None else (port, port), icmp if name == "icmp" else None)


def parse(text: str) -> Service:
    """`tcp/443`, `udp/8000-8010`, `icmp`, `icmp/echo-request`, `icmp/3.4`, `47`. Raise RuleError."""
    name, slash, rest = text.partition("/")
    if not slash and (":" in name or _BARE_PORT.fullmatch(name)):
        kind, _, port = name.rpartition(":")
        wanted = f"{kind if kind in WITH_PORTS else 'tcp'}/{port if port.isdecimal() else 443}"
        raise RuleError(f"{quote(text)} is not PROTO/PORT", f"write {wanted}, udp/8000-8010, icmp or icmp/echo-request")
    found = protocol(name)
    if not slash:
        return Service(found)
    if found in WITH_PORTS:
        return Service(found, ports(rest))
    if found != "icmp":
        raise RuleError(f"{name} has neither ports nor types", "write tcp/443, udp/53, icmp or icmp/echo-request")
    kind, _, code = rest.partition(".")
    return Service(found, None, (_icmp(kind), _icmp(code) if code else None))


def _icmp(text: str) -> int:
    return icmp_type(int(text) if text.isascii() and text.isdigit() and len(text) < 5 else text)


@lru_cache(maxsize=4096)
def union(services: tuple[Service, ...]) -> tuple[Service, ...]:
    """The same permissions in normal form."""
    rules = (Rule(direction=Direction.INGRESS, protocol=s.protocol, ports=s.ports, icmp=s.icmp) for s in services)
    return tuple(of_rule(rule) for rule in normal(rules))


def covered(asked: Service, services: Iterable[Service]) -> bool:
    """Whether together they have all of `asked`."""
    found = union(tuple(services))
    return bool(found) and union((*found, asked)) == found


@lru_cache(maxsize=4096)
def minus(services: tuple[Service, ...], others: tuple[Service, ...]) -> tuple[Service, ...]:
    """What `others` do not have; of `any` and of an ICMP type without code all or nothing is kept."""
    kept = [piece for one in union(services) for piece in _without(one, union(others))]
    return union(tuple(kept))


def _without(one: Service, others: tuple[Service, ...]) -> Iterator[Service]:
    if any(other.covers(one) for other in others):
        return
    if one.protocol not in WITH_PORTS:
        yield one
        return
    first, last = one.ports or EVERY_PORT
    for gap in sorted(other.ports for other in others if other.protocol == one.protocol and other.ports):
        if first <= gap[1] and gap[0] <= last:
            if first < gap[0]:
                yield Service(one.protocol, (first, gap[0] - 1))
            first = gap[1] + 1
    if (first, last) == EVERY_PORT:
        yield Service(one.protocol)
    elif first <= last:
        yield Service(one.protocol, (first, last))


def shared(services: tuple[Service, ...], others: tuple[Service, ...]) -> tuple[Service, ...]:
    """What both have."""
    return union(tuple(both for one in services for other in others if (both := one.meet(other))))
