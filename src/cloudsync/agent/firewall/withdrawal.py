"""Whose flows one Ruleset may deny that another let pass (pure): only those must be looked at when it is in force."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from functools import cache

from cloudsync.agent.firewall.containers import SOURCE
from cloudsync.agent.firewall.ruleset import Container, Ruleset, Table
from cloudsync.model.dataclass import dataclass

Suspects = frozenset[str] | None
"""Addresses of instances, here or elsewhere; None stands for everybody's."""

_BY_TAP = ("egress", "ingress", "port_src4", "port_macs", "port_arp", "open_ports", "open_src4", "open_arp")
_FLOATING = ("fip_in4", "fip_out4", "fip_self4")
_OF_MEMBERS = ("g_", "i_")
_OF_GROUPS, _OF_PORTS = ("gi_", "ge_"), ("pi_", "pe_")


def suspects(old: Ruleset, new: Ruleset, left: Set[str] | None = None) -> Suspects:
    """Also those of whom it may only seem so: a rule or an element that went is enough.

    What a table that is gone let pass is not known any more. `left` are addresses that were an instance's elsewhere
    until now; None stands for any.
    """
    if old.tables.keys() < new.tables.keys():
        return None
    found: frozenset[str] = frozenset()
    addresses = cache(lambda: _addresses(old, new))
    for family, table in old.tables.items():
        some = _Change(table, new.tables.get(family, Table()), addresses, left).suspects()
        if some is None:
            return None
        found |= some
    return found


def both(one: Suspects, other: Suspects) -> Suspects:
    return None if one is None or other is None else one | other


def vacated(old: Ruleset, new: Ruleset) -> frozenset[str]:
    """Addresses of ports that went, also those that another port has from now on: its owner before had those flows."""
    before, after = set(_sources(old)), set(_sources(new))
    return frozenset(_address(one) for one in before - after) - frozenset(_address(one) for one in before & after)


def _sources(ruleset: Ruleset) -> Iterable[str]:
    """TAP . ADDRESS . MAC of each port."""
    inet = ruleset.tables.get("inet")
    sources = inet.containers.get("port_src4") if inet else None
    return sources.elements if sources and sources.key == SOURCE else ()


def _address(source: str) -> str:
    return source.split(" . ")[1]


def _tap(key: str) -> str:
    return key.partition(" . ")[0]


def _apart(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[set[str], set[str]]:
    return set(old.keys() - new.keys()), set(new.keys() - old.keys())


def _addresses(*rulesets: Ruleset) -> dict[str, set[str]]:
    """By tap."""
    found: dict[str, set[str]] = {}
    for ruleset in rulesets:
        for source in _sources(ruleset):
            found.setdefault(_tap(source), set()).add(_address(source))
    return found


@dataclass(frozen=True, slots=True)
class _Change:
    """Of one table. What it does not know by name may concern everybody."""

    before: Table
    after: Table
    addresses: Callable[[], dict[str, set[str]]]
    left: Set[str] | None

    def suspects(self) -> Suspects:
        found: set[str] = set()
        for some in (*self._by_chains(), *self._by_elements()):
            if some is None:
                return None
            found |= some
        return frozenset(found)

    def _by_chains(self) -> Iterator[set[str] | None]:
        for name in self._shrunk():
            if name.startswith(_OF_PORTS):
                yield self.addresses().get(name[3:], set())
            elif name.startswith(_OF_GROUPS):
                for port in self._jumpers(name):
                    yield self.addresses().get(port[3:], set())
            else:
                yield None

    def _shrunk(self) -> Iterator[str]:
        for name, chain in self.before.chains.items():
            now = self.after.chains.get(name)
            if now is chain:
                continue
            kept = {rule.parts for rule in now.rules} if now else set()
            if any(rule.parts not in kept for rule in chain.rules):
                yield name

    def _jumpers(self, group: str) -> Iterator[str]:
        jump = (f"jump {group}",)
        for name, chain in self.before.chains.items():
            if name.startswith(_OF_PORTS) and any(rule.parts == jump for rule in chain.rules):
                yield name

    def _by_elements(self) -> Iterator[set[str] | None]:
        for name, container in self.before.containers.items():
            there = self.after.containers.get(name, Container(()))
            if there.elements is container.elements:
                continue
            lost, gained = _apart(container.elements, there.elements)
            if name == "infra4":
                lost = gained
            elif name == "fip_in4":
                # One that comes was somebody else's until now: flows there go astray.
                yield {key for key, _ in container.elements.items() ^ there.elements.items()}
            elif name == "port_src4":
                # Its flows with others of this host were judged by another's rules until now.
                lost |= {key for key in gained if self.left is None or _address(key) in self.left}
            if name in _BY_TAP:
                yield {address for key in lost for address in self.addresses().get(_tap(key), ())}
            elif name.startswith(_OF_MEMBERS):
                yield lost
            elif lost and name not in _FLOATING:
                yield None
