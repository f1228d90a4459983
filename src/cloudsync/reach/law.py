"""A rule of a group ready to be asked: whom it is about is addresses here, not names."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from ipaddress import ip_network

from cloudsync.model.dataclass import dataclass
from cloudsync.model.resources import Direction, Network, Rule
from cloudsync.reach.service import Service, of_rule
from cloudsync.reach.spot import EVERYWHERE, NOWHERE, Range, Spot, span

Members = Callable[[str], frozenset[str]]
"""The keys of the spots behind `group.X` or `instance.X`."""


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """It is about the spots in `range` and those whose key is among `members`. `place` is a key of Cloud.places."""

    group: str
    rule: Rule
    service: Service
    place: str = ""
    range: Range = NOWHERE
    members: frozenset[str] = field(default=frozenset(), repr=False)

    def meets(self, spot: Spot) -> bool | None:
        """Whether the other side may be there; None when that depends on its address."""
        return True if spot.key in self.members else spot.within(self.range)

    def __str__(self) -> str:
        return label(self.rule)


def label(rule: Rule) -> str:
    """The rule as people read it: `tcp/443 from any`."""
    return f"{of_rule(rule)} {'from' if rule.direction is Direction.INGRESS else 'to'} {rule.remote}"


def laws(
    group: str, rules: Iterable[tuple[str, Rule]], networks: Mapping[str, Network], members: Members
) -> dict[Direction, tuple[Law, ...]]:
    """A group's rules, each beside the key of its place, by direction."""
    found: dict[Direction, list[Law]] = {direction: [] for direction in Direction}
    for place, rule in rules:
        named = rule.remote.startswith(("group.", "instance."))
        reach = NOWHERE if named else _range(rule.remote, networks)
        behind = members(rule.remote) if named else frozenset()
        found[rule.direction].append(Law(group, rule, of_rule(rule), place, reach, behind))
    return {direction: tuple(ready) for direction, ready in found.items()}


def _range(remote: str, networks: Mapping[str, Network]) -> Range:
    """Guests have IPv4 only: an IPv6 prefix is about nobody, and so is a network that is not there."""
    if remote == "any":
        return EVERYWHERE
    if remote.startswith("network."):
        network = networks.get(remote.removeprefix("network."))
        return span(network.subnet) if network else NOWHERE
    return span(remote) if ip_network(remote).version == 4 else NOWHERE
