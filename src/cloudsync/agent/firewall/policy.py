"""May a flow be, as a document has it (pure): the same meaning as the compiled rules, for single flows in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from cloudsync.agent.firewall.compile import Port, local_ports
from cloudsync.agent.firewall.layout import LINK_LOCAL
from cloudsync.agent.firewall.rules import network, number
from cloudsync.model.document import HostDocument
from cloudsync.model.resources import Direction, Group, Rule


@dataclass(frozen=True, slots=True)
class Flow:
    """A connection's first direction, after destination NAT. `port` is the destination's, None without ports."""

    source: str
    target: str
    protocol: int
    port: int | None = None
    icmp: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class _Allowed:
    """One rule ready to be asked: the networks or the single addresses it is about."""

    rule: Rule
    protocol: int | None
    network: IPv4Network | None
    members: frozenset[str]

    def permits(self, flow: Flow, remote: str) -> bool:
        if self.protocol is not None and self.protocol != flow.protocol:
            return False
        if self.rule.ports and not (flow.port is not None and self.rule.ports[0] <= flow.port <= self.rule.ports[1]):
            return False
        if self.rule.icmp and self.rule.protocol == "icmp" and not self._same_icmp(flow):
            return False
        return remote in self.members or (self.network is not None and IPv4Address(remote) in self.network)

    def _same_icmp(self, flow: Flow) -> bool:
        kind, code = self.rule.icmp or (0, None)
        return flow.icmp is not None and flow.icmp[0] == kind and code in (None, flow.icmp[1])


class Policy:
    """A document's security groups, asked by address."""

    def __init__(self, document: HostDocument) -> None:
        self._ports: Mapping[str, Port] = {port.nic.address: port for port in local_ports(document)}
        self._infra = tuple(IPv4Network(text) for text in (LINK_LOCAL, *document.infra) if ":" not in text)
        groups = {group.name: group for port in self._ports.values() for group in port.groups}
        self._rules = {
            (name, direction): _ready(group, direction, document)
            for name, group in groups.items()
            for direction in Direction
        }

    def knows(self, address: str) -> bool:
        """Whether an instance of this host has `address`."""
        return address in self._ports

    def permits(self, flow: Flow) -> bool:
        """Both ends must agree where both are of this host; what no local port has a part in is permitted."""
        if self.knows(flow.source) and any(IPv4Address(flow.target) in infra for infra in self._infra):
            return False
        return self._permits(flow.source, Direction.EGRESS, flow, flow.target) and self._permits(
            flow.target, Direction.INGRESS, flow, flow.source
        )

    def _permits(self, local: str, direction: Direction, flow: Flow, remote: str) -> bool:
        port = self._ports.get(local)
        if port is None or not port.nic.port_security:
            return True
        rules = (rule for group in port.groups for rule in self._rules[group.name, direction])
        return any(rule.permits(flow, remote) for rule in rules)


def _ready(group: Group, direction: Direction, document: HostDocument) -> tuple[_Allowed, ...]:
    found = []
    for rule in group.rules:
        if rule.direction is direction:
            where = network(rule, group.name, document)
            members = frozenset() if where else frozenset(document.members.get(rule.remote, ()))
            known = where if isinstance(where, IPv4Network) else None
            found.append(_Allowed(rule, number(rule, group.name), known, members))
    return tuple(found)
