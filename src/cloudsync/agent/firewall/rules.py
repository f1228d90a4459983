"""One rule of a security group into one nft rule (pure); the compiler calls it for groups that local ports are in."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from cloudsync.agent.firewall import names
from cloudsync.agent.firewall.ruleset import Rule as NftRule
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.resources import WITH_PORTS, Direction, Rule
from cloudsync.reach.law import label

NUMBERS = {"icmp": 1, **WITH_PORTS}
_ANY = IPv4Network("0.0.0.0/0")
_subnet = lru_cache(1024)(ip_network)


def nft_rule(rule: Rule, group: str, document: HostDocument) -> NftRule | None:
    """None for a rule that can match no IPv4 packet. Raises HostError for one that is no rule."""
    remote = _remote(rule, group, document)
    if remote is None:
        return None
    # A comparison costs a tenth of a lookup: most packets are of another protocol or port, and need none.
    parts = (*_protocol(rule, group), *remote, "counter", "accept")
    return NftRule(parts, names.comment(f"group.{group} {label(rule)}"))


def network(rule: Rule, group: str, document: HostDocument) -> IPv4Network | IPv6Network | None:
    """The addresses behind a rule's `any`, CIDR or `network.X`; None when its remote is a group or an instance."""
    if rule.remote == "any":
        return _ANY
    if rule.remote.startswith(("group.", "instance.")):
        return None
    try:
        if rule.remote.startswith("network."):
            return _subnet(document.networks[rule.remote.removeprefix("network.")].subnet)
        return _subnet(rule.remote)
    except (KeyError, ValueError):
        raise HostError(f"group.{group}: {label(rule)}: the document does not say what {rule.remote!r} is") from None


def _remote(rule: Rule, group: str, document: HostDocument) -> tuple[str, ...] | None:
    field = "ip saddr" if rule.direction is Direction.INGRESS else "ip daddr"
    found = network(rule, group, document)
    if found is None:
        return (f"{field} @{names.members(rule.remote)}",)
    if isinstance(found, IPv6Network):
        return None
    return () if found.prefixlen == 0 else (f"{field} {element(found)}",)


def element(found: IPv4Network) -> str:
    """As nft lists it: a single address has no prefix length."""
    return str(found.network_address) if found.prefixlen == 32 else str(found)


def number(rule: Rule, group: str) -> int | None:
    """The protocol's number, None for any."""
    if rule.protocol == "any":
        return None
    found = NUMBERS.get(rule.protocol, -1)
    if found < 0 and rule.protocol.isascii() and rule.protocol.isdigit():
        found = int(rule.protocol)
    if not 0 <= found <= 255:
        raise HostError(f"group.{group}: {rule.protocol!r} is not a protocol")
    return found


def _protocol(rule: Rule, group: str) -> tuple[str, ...]:
    protocol = number(rule, group)
    if rule.ports and rule.protocol in WITH_PORTS:
        first, last = (int(port) for port in rule.ports)
        return (f"{rule.protocol} dport {first}" if first == last else f"{rule.protocol} dport {first}-{last}",)
    if rule.ports or (rule.icmp and protocol != 1):
        raise HostError(f"group.{group}: {label(rule)}: protocol {rule.protocol} has no ports or types")
    if rule.icmp:
        kind, code = rule.icmp
        return (f"icmp type {int(kind)}",) if code is None else (f"icmp type {int(kind)}", f"icmp code {int(code)}")
    return () if protocol is None else (f"meta l4proto {protocol}",)
