"""HostDocument -> Ruleset (pure): the whole meaning of security groups, anti-spoofing and NAT on one host.

The agent's firewall calls it for every apply and every look for drift.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from ipaddress import collapse_addresses

from cloudsync.agent.firewall import denied, layout, names
from cloudsync.agent.firewall.containers import arp_containers, containers
from cloudsync.agent.firewall.rules import element, nft_rule
from cloudsync.agent.firewall.ruleset import Chain, Container, Owners, Rule, Ruleset, Table
from cloudsync.agent.links.remote import peers, tunnel
from cloudsync.agent.memo import Memo
from cloudsync.agent.words import no_addresses
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Direction, Group, Instance, Nic
from cloudsync.reach.scene import untracked

PREFIX = {Direction.INGRESS: "gi_", Direction.EGRESS: "ge_"}
_NOBODY = "0.0.0.0"  # noqa: S104 (a sender, not something to listen on)


@dataclass(frozen=True, slots=True)
class Port:
    """One NIC of an instance of this host, checked."""

    instance: Instance
    nic: Nic

    @property
    def owner(self) -> str:
        return f"instance.{self.instance.name}"

    @property
    def sources(self) -> Iterator[str]:
        """What it may send from: its own address, and those of the instance's other NICs that are treated alike.

        A guest with one default route answers from the address that was asked, by whatever NIC the route names.
        """
        return (nic.address for nic in self.instance.nics if nic.port_security == self.nic.port_security)


def compile_document(document: HostDocument, metadata_port: int, memo: Memo | None = None) -> Ruleset:
    """Raise HostError when `document` names a group or network it does not hold, or an address that is none.

    `memo` is of the documents before: what they have in common with this one becomes the very same objects.
    """
    kept = memo or Memo()
    ports = kept.of((document.instances,), local_ports, document, kept)
    groups = kept.of((document.instances, document.groups), _groups, document)
    end = tunnel(document)
    by_packet = "dccp" in untracked(document.groups.values())
    chains = {**layout.chains(metadata_port, by_packet, end.number if end else None)}
    for group in groups.values():
        chains |= kept.of((group, document.networks), _group_chains, group, document)
    logged = tuple(name for name, group in document.groups.items() if group.log_denied)
    for found in kept.each(logged, _instance_chains, document.instances, logged).values():
        chains |= found
    elements = kept.of((document.instances,), _elements, ports)
    sets = _filled(document, elements) | _member_sets(groups.values(), document, kept)
    arp = {name: _with(container, elements[name]) for name, container in arp_containers().items()}
    tables = {"inet": Table(sets, chains), "arp": Table(arp, layout.arp_chains())}
    return Ruleset(tables, Owners(lambda: _owners(document, ports, groups.values())))


def local_ports(document: HostDocument, kept: Memo) -> tuple[Port, ...]:
    """Every NIC of this host's instances, stopped ones too: their policy is there before their taps are."""
    found = kept.each((), _ports, document.instances)
    seen: dict[str, str] = {}
    for port in (port for name in sorted(found) for port in found[name]):
        if port.nic.tap in seen:
            raise HostError(f"{port.owner}: its tap {port.nic.tap} is also that of {seen[port.nic.tap]}")
        seen[port.nic.tap] = port.owner
    return tuple(port for name in sorted(found) for port in found[name])


def _ports(name: str, instance: Instance) -> tuple[Port, ...]:
    return tuple(Port(instance, names.port(nic, f"instance.{name}")) for nic in instance.nics)


def _groups(document: HostDocument) -> dict[str, Group]:
    """Those that hold for some port."""
    found = {}
    for name in sorted(document.instances):
        instance = document.instances[name]
        for group in sorted(set(instance.groups)):
            if group not in document.groups:
                raise HostError(f"instance.{name} is in group.{group}, which the document does not hold")
            if instance.nics:
                found[group] = document.groups[group]
    return found


def _group_chains(group: Group, document: HostDocument) -> dict[str, Chain]:
    rules: dict[Direction, dict[Rule, None]] = {direction: {} for direction in Direction}
    for rule in sorted(set(group.rules), key=lambda rule: rule.key()):
        compiled = nft_rule(rule, group.name, document)
        if compiled:
            rules[rule.direction][compiled] = None
    gid = names.identifier(group.name)
    return {PREFIX[direction] + gid: Chain(tuple(sorted(found, key=_narrow))) for direction, found in rules.items()}


def _narrow(rule: Rule) -> int:
    """For anybody 0, for a subnet 1, for members, whose set is looked up, 2. Rules only allow, so their order is free;
    and each that does not match costs a new connection some 0.3 us."""
    remote = next((part for part in rule.parts if part.startswith("ip ")), "")
    return ("ip " in remote) + ("@" in remote)


def _instance_chains(name: str, instance: Instance, logged: tuple[str, ...]) -> dict[str, Chain]:
    """Of all its ports. `logged` are groups whose denials are."""
    comment, groups = names.comment(f"instance.{name}"), sorted(set(instance.groups))
    found = {}
    for nic in instance.nics:
        for direction, prefix in ((Direction.INGRESS, "pi_"), (Direction.EGRESS, "pe_")):
            if nic.port_security:
                jumps = [_jump(direction, group) for group in groups]
                if not set(logged).isdisjoint(groups):
                    jumps.append(Rule(denied.expressions(prefix + nic.tap)))
                found[prefix + nic.tap] = Chain((*jumps, Rule(("counter", "drop"), comment)))
            else:
                found[prefix + nic.tap] = Chain((Rule(("accept",), comment),))
    return found


@lru_cache(4096)
def _jump(direction: Direction, group: str) -> Rule:
    return Rule((f"jump {PREFIX[direction]}{names.identifier(group)}",))


def _filled(document: HostDocument, of_ports: Mapping[str, dict[str, str]]) -> dict[str, Container]:
    networks = document.networks.values()
    subnets = [(network, names.subnet(network.subnet, f"network.{network.name}")) for network in networks]
    infra = (names.subnet(text, "infra") for text in document.infra if ":" not in text)
    elements = {
        **of_ports,
        "gateways4": {names.address(network.gateway, f"network.{network.name}"): "" for network in networks},
        "infra4": _keys(element(one) for one in collapse_addresses(infra)),
        "internal4": _keys(element(one) for one in collapse_addresses(one for _, one in subnets)),
        "nat_src4": _keys(element(one) for one in collapse_addresses(one for net, one in subnets if net.nat)),
        "floating4": _floating(document),
        "peers4": _keys(names.address(peer.address, "underlay") for peer in peers(document)),
    }
    empty = containers(names.comment(f"cloud={document.cloud}"))
    return {name: _with(container, elements.get(name, {})) for name, container in empty.items()}


def _floating(document: HostDocument) -> dict[str, str]:
    """Of the whole cloud; only what may send from strange addresses is held against them."""
    if all(nic.port_security for one in document.instances.values() for nic in one.nics):
        return {}
    elsewhere = (address for one in document.directory.values() for address in one.floating)
    here = (address for one in document.instances.values() for address in one.floating)
    return _keys(names.address(address, "directory") for address in (*elsewhere, *here))


def _elements(ports: tuple[Port, ...]) -> dict[str, dict[str, str]]:
    """By set or map, of either table, what depends on ports alone."""
    floats = [(names.address(one.nic.floating, one.owner), one.nic.address) for one in ports if one.nic.floating]
    return {
        "port_src4": _tuples(ports),
        "port_macs": _keys(f"{port.nic.tap} . {port.nic.mac}" for port in ports),
        "port_arp": _senders(ports),
        "open_ports": _keys(port.nic.tap for port in ports if not port.nic.port_security),
        "open_src4": _open_sources(ports),
        "open_arp": _open_sources(ports),
        "fip_in4": dict(floats),
        "fip_out4": {fixed: floating for floating, fixed in floats},
        "fip_self4": _keys(f"{fixed} . {fixed}" for _, fixed in floats),
        "egress": {port.nic.tap: f"goto pe_{port.nic.tap}" for port in ports},
        "ingress": {port.nic.tap: f"goto pi_{port.nic.tap}" for port in ports},
    }


def _member_sets(groups: Iterable[Group], document: HostDocument, kept: Memo) -> dict[str, Container]:
    """One set for each remote that a rule in use names: a set costs more to load the more of them there are."""
    remotes = {rule.remote for group in groups for rule in group.rules}
    found = {}
    for remote in sorted(remote for remote in remotes if remote.startswith(("group.", "instance."))):
        texts = document.members.get(remote, ())
        found[names.members(remote)] = kept.of((texts,), _member_set, remote, texts)
    return found


def _member_set(remote: str, texts: tuple[str, ...]) -> Container:
    elements = _keys(texts)
    for text in no_addresses(texts):
        if ":" not in text:
            names.address(text, remote)
        elements.pop(text, None)
    return Container(("ipv4_addr",), elements=elements)


def _owners(document: HostDocument, ports: tuple[Port, ...], groups: Iterable[Group]) -> dict[str, str]:
    owners = {address: f"instance.{name}" for name, entry in document.directory.items() for address in entry.addresses}
    owners |= {key: f"network.{net.name}" for net in document.networks.values() for key in (net.subnet, net.gateway)}
    for group in groups:
        gid = names.identifier(group.name)
        owners |= {prefix + gid: f"group.{group.name}" for prefix in PREFIX.values()}
        for rule in group.rules:
            if rule.remote.startswith(("group.", "instance.")):
                owners[names.members(rule.remote)] = rule.remote
    for port in ports:
        keys = (port.nic.tap, port.nic.address, f"pi_{port.nic.tap}", f"pe_{port.nic.tap}")
        owners |= dict.fromkeys(keys, port.owner)
        owners |= {port.nic.floating: port.owner} if port.nic.floating else {}
    owners["host"] = f"host.{document.host}"
    return owners


def _tuples(ports: tuple[Port, ...]) -> dict[str, str]:
    return _keys(f"{port.nic.tap} . {address} . {port.nic.mac}" for port in ports for address in port.sources)


def _senders(ports: tuple[Port, ...]) -> dict[str, str]:
    """What a port may say by ARP: that it has one of its addresses, or, when it asks for one, nothing."""
    names_itself = [(port.nic, address) for port in ports for address in port.sources]
    asks_only = [(port.nic, _NOBODY) for port in ports]
    return _keys(f"{nic.tap} . {nic.mac} . {nic.mac} . {address}" for nic, address in names_itself + asks_only)


def _open_sources(ports: tuple[Port, ...]) -> dict[str, str]:
    return _keys(
        f"{port.nic.tap} . {address}" for port in ports if not port.nic.port_security for address in port.sources
    )


def _keys(texts: Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(texts, "")


def _with(container: Container, elements: dict[str, str]) -> Container:
    return replace(container, elements=elements)
