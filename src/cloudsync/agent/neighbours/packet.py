"""The packets that a host must let through for its instances to work, as values (pure): what walk.py sends along.

One of each kind is enough: other programs' rules either know nothing of taps, or were made to let them through.
"""

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from fnmatch import fnmatchcase
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

from cloudsync.agent.links.remote import DEVICE, PORT, others, tunnel
from cloudsync.agent.neighbours.foreign import Asks, Base, Condition
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.resources import Network

_NOBODY = "cs-000000000000"
_ELSEWHERE = "192.0.0.170"
"""An address that no network has (RFC 7050): it stands for the rest of the world."""
Has = dict[Asks, tuple[str, ...]]
_ANY_NETWORK = Network(name="default", subnet="10.20.0.0/16", gateway="10.20.0.1", domain="internal")


@dataclass(frozen=True, slots=True)
class Packet:
    """A connection's first one. `hooks` are those it passes, in tables of these `families`; `what` completes "stops …".

    `has` are its properties, each as the words that fit it; `outward` says whether a guest sends it.
    `tunnelled`: it is the tunnel's own, with a guest's inside.
    """

    what: str
    hooks: tuple[str, ...]
    outward: bool
    has: Mapping[Asks, tuple[str, ...]] = field(default_factory=dict)
    tunnelled: bool = False
    families: tuple[str, ...] = ("ip", "inet")

    def passes(self, family: str, base: Base) -> bool:
        """A base chain of some table."""
        return family in self.families and base.hook in self.hooks

    def fits(self, condition: Condition) -> bool | None:
        """None when that cannot be told."""
        if condition.asks is Asks.UNREADABLE:
            return None
        if condition.asks is Asks.NEVER:
            return False
        mine = self.has.get(condition.asks, ())
        found = any(_equal(condition.asks, value, one) for value in condition.values for one in mine)
        return found is not condition.negated


def _equal(asks: Asks, value: str, mine: str) -> bool:
    if asks in (Asks.INPUT, Asks.OUTPUT):
        return fnmatchcase(mine, value.replace("[", "[[]").replace("?", "[?]"))
    if asks in (Asks.SOURCE, Asks.TARGET):
        return _within(value, IPv4Address(mine))
    if asks in (Asks.SOURCE_PORT, Asks.TARGET_PORT, Asks.ICMP):
        first, _, last = value.partition("-")
        return value == "any" or (first.isdigit() and int(first) <= int(mine) <= int(last or first))
    return value in (mine, "all")


def _within(value: str, address: IPv4Address) -> bool:
    first, dash, last = value.partition("-")
    try:
        if dash:
            return IPv4Address(first) <= address <= IPv4Address(last)
        return address in IPv4Network(value, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        return False


def packets(document: HostDocument | None, uplink: str | None, metadata_port: int) -> Iterator[Packet]:
    """For each network of the document; without one, for a network that there may be."""
    networks = sorted(document.networks.values(), key=lambda one: one.name) if document else []
    for network in networks or [_ANY_NETWORK]:
        guests = _guests(document, network)
        yield from _of(network, guests, uplink or "uplink", metadata_port)
        if document and others(document):
            yield from _between(guests, DEVICE if tunnel(document) else uplink or "uplink")
    if document and tunnel(document):
        yield from _tunnelled(document, uplink or "uplink")


def _guests(document: HostDocument | None, network: Network) -> list[tuple[str, str]]:
    """(tap, address) of two instances of the network; made up where there are fewer."""
    instances = document.instances.values() if document else ()
    there = [(nic.tap, nic.address) for one in instances for nic in one.nics if nic.network == network.name]
    hosts = IPv4Network(network.subnet).network_address
    return [*there[:2], (_NOBODY, str(hosts + 2)), (_NOBODY, str(hosts + 3))][:2]


def _of(network: Network, guests: list[tuple[str, str]], uplink: str, metadata_port: int) -> Iterator[Packet]:
    (tap, address), (other_tap, other) = guests
    forwarded = ("prerouting", "forward", "postrouting")
    received, sent = ("prerouting", "input"), ("output", "postrouting")
    tcp: Has = {Asks.PROTOCOL: ("tcp",), Asks.SOURCE_PORT: ("40000",), Asks.TARGET_PORT: ("443",)}
    out: Has = {Asks.INPUT: (tap,), Asks.OUTPUT: (uplink,), Asks.SOURCE: (address,), Asks.TARGET: (_ELSEWHERE,)}
    yield _packet("instances → outside", forwarded, True, out | tcp)
    into: Has = {Asks.INPUT: (uplink,), Asks.OUTPUT: (tap,), Asks.SOURCE: (_ELSEWHERE,), Asks.TARGET: (address,)}
    yield _packet("outside → instances", forwarded, False, into | tcp)
    across: Has = {Asks.INPUT: (tap,), Asks.OUTPUT: (other_tap,), Asks.SOURCE: (address,), Asks.TARGET: (other,)}
    yield _packet("instances → instances", forwarded, True, across | tcp)
    asking: Has = {Asks.INPUT: (tap,), Asks.SOURCE: (address,), Asks.TARGET: (network.gateway,)}
    dns: Has = {Asks.PROTOCOL: ("udp",), Asks.SOURCE_PORT: ("40000",), Asks.TARGET_PORT: ("53",)}
    yield _packet("instances' DNS", received, True, asking | dns, "local")
    # Our nat chain has already sent it to the service's port on the tap's own address.
    record: Has = tcp | {Asks.TARGET_PORT: (str(metadata_port),), Asks.STATUS: ("dnat",)}
    yield _packet("instances' metadata", ("input",), True, asking | record, "local")
    lease: Has = {Asks.PROTOCOL: ("udp",), Asks.SOURCE_PORT: ("68",), Asks.TARGET_PORT: ("67",)}
    nowhere: Has = {Asks.INPUT: (tap,), Asks.SOURCE: ("0.0.0.0",), Asks.TARGET: ("255.255.255.255",)}  # noqa: S104
    yield _packet("instances' DHCP", received, True, nowhere | lease, "broadcast")
    answer: Has = {Asks.PROTOCOL: ("udp",), Asks.SOURCE_PORT: ("67",), Asks.TARGET_PORT: ("68",)}
    back: Has = {Asks.OUTPUT: (tap,), Asks.SOURCE: (network.gateway,), Asks.TARGET: (address,)}
    yield _packet("the host's DHCP answers", sent, False, back | answer)
    arp: Has = {Asks.FAMILY: ("arp",)}
    yield Packet("instances' ARP", ("input",), True, {Asks.INPUT: (tap,)} | arp, families=("arp",))
    yield Packet("the host's ARP", ("output",), False, {Asks.OUTPUT: (tap,)} | arp, families=("arp",))


def _between(guests: list[tuple[str, str]], device: str) -> Iterator[Packet]:
    """The second guest stands for one elsewhere."""
    (tap, address), (_, other) = guests
    forwarded = ("prerouting", "forward", "postrouting")
    tcp: Has = {Asks.PROTOCOL: ("tcp",), Asks.SOURCE_PORT: ("40000",), Asks.TARGET_PORT: ("443",)}
    out: Has = {Asks.INPUT: (tap,), Asks.OUTPUT: (device,), Asks.SOURCE: (address,), Asks.TARGET: (other,)}
    yield _packet("instances → instances on other hosts", forwarded, True, out | tcp)
    into: Has = {Asks.INPUT: (device,), Asks.OUTPUT: (tap,), Asks.SOURCE: (other,), Asks.TARGET: (address,)}
    yield _packet("instances on other hosts → instances", forwarded, False, into | tcp)


def _tunnelled(document: HostDocument, uplink: str) -> Iterator[Packet]:
    """By whatever device: which one leads to other hosts is the kernel's to know, and mostly it is the uplink."""
    own, other = document.underlay[document.host], min(others(document))
    udp: Has = {Asks.PROTOCOL: ("udp",), Asks.SOURCE_PORT: ("40000",), Asks.TARGET_PORT: (str(PORT),)}
    into: Has = {Asks.INPUT: (uplink,), Asks.SOURCE: (other,), Asks.TARGET: (own,)}
    found = _packet("the tunnel from other hosts", ("prerouting", "input"), False, into | udp, "local")
    yield replace(found, tunnelled=True)
    out: Has = {Asks.OUTPUT: (uplink,), Asks.SOURCE: (own,), Asks.TARGET: (other,)}
    found = _packet("the tunnel to other hosts", ("output", "postrouting"), True, out | udp)
    yield replace(found, tunnelled=True)


def _packet(what: str, hooks: tuple[str, ...], outward: bool, has: Has, kind: str = "unicast") -> Packet:
    common: Has = {Asks.FAMILY: ("ipv4",), Asks.STATE: ("new",), Asks.TARGET_KIND: (kind,)}
    return Packet(what, hooks, outward, common | has)
