"""Which connections are tried under a document: at random, and at the ends of what its rules say."""

from collections.abc import Iterator
from random import Random

from cloudsync.model import resources
from cloudsync.model.document import HostDocument
from cloudsync.model.resources import Direction, Rule
from tests.firewall.probes import ADDRESSES, WITH_PORTS, WITHOUT, Probe
from tests.firewall.worlds import HERE, PORTS
from tests.lab.frames import ICMP, SCTP, TCP, UDP

_KINDS = [TCP] * 4 + [UDP] * 3 + [ICMP] * 2 + [SCTP, *WITHOUT]
_NUMBERS = {"icmp": ICMP, **resources.WITH_PORTS}
What = tuple[int, int | None, tuple[int, int] | None]
"""Protocol, the target's port, ICMP type and code."""


class Drawer:
    """Draws without end, and nothing that the kernel could take for a part of what it drew before."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311
        self._taken: set[object] = set()
        self._pairs: list[tuple[str, str]] = []

    def probes(self, document: HostDocument) -> Iterator[Probe]:
        hints = list(_hints(document))
        while True:
            ends, what = self._ends(), self._what()
            if hints and self._random.random() < 0.6:
                local, rule = self._random.choice(hints)
                ends, what = self._beside(local, rule, ends), self._about(rule) or what
            found = Probe(ends[0], ends[1], *what)
            if ends[0] != ends[1] and not found.flows & self._taken:
                self._taken |= found.flows
                self._pairs.append(ends)
                yield found

    def _ends(self) -> tuple[str, str]:
        """Often two that are talking already: what becomes of the one must not depend on the other."""
        if self._pairs and self._random.random() < 0.3:
            return self._random.choice(self._pairs)
        one, other = self._random.choice(sorted(HERE)), self._random.choice(sorted(ADDRESSES))
        return (one, other) if self._random.random() < 0.5 else (other, one)

    def _beside(self, local: str, rule: Rule, ends: tuple[str, str]) -> tuple[str, str]:
        other = self._random.choice(ends)
        return (local, other) if rule.direction is Direction.EGRESS else (other, local)

    def _what(self) -> What:
        kind = self._random.choice(_KINDS)
        port = self._random.choice(PORTS) if kind in WITH_PORTS else None
        icmp = (self._random.choice([8, 8, 13, 17, 0, 3, 40]), self._random.choice([0, 0, 1])) if kind == ICMP else None
        return kind, port, icmp

    def _about(self, rule: Rule) -> What | None:
        """At an end of what the rule permits, or just beyond; None when it is about everything."""
        if rule.protocol == "any":
            return None
        kind = _NUMBERS.get(rule.protocol) or int(rule.protocol)
        if kind == ICMP:
            number, code = rule.icmp or (8, None)
            return kind, None, (number, self._random.choice([0, 1]) if code is None else code)
        if kind not in WITH_PORTS:
            return (kind, None, None) if kind in WITHOUT else None
        first, last = rule.ports or (1, 65535)
        return kind, min(max(self._random.choice([first - 1, first, last, last + 1]), 1), 65535), None


def _hints(document: HostDocument) -> Iterator[tuple[str, Rule]]:
    """Every rule that is in force, beside a guest that it is in force for."""
    for name, instance in sorted(document.instances.items()):
        for group in sorted(set(instance.groups)):
            for rule in document.groups[group].rules:
                yield name, rule
