"""Security group rules as they are written: protocols, ports, ICMP types and the other side. Pure; raises RuleError.

What is accepted follows Neutron's API (protocol names and numbers, 1..65535 means every port, a /0 prefix means any).
"""

import re
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from cloudsync.model.resources import WITH_PORTS
from cloudsync.spec.suggest import nearest
from cloudsync.spec.words import listing, quote

# IANA protocol numbers under Neutron's names. 0 (`ip`) stands for every protocol there.
PROTOCOLS = {
    "any": -1,
    "ip": 0,
    "icmp": 1,
    "igmp": 2,
    "ipip": 4,
    "tcp": 6,
    "egp": 8,
    "udp": 17,
    "dccp": 33,
    "rsvp": 46,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "ospf": 89,
    "vrrp": 112,
    "pgm": 113,
    "sctp": 132,
    "udplite": 136,
}
_USUAL = {-1: "any", 0: "any", 1: "icmp"} | {number: name for name, number in WITH_PORTS.items()}
IPV6_ONLY = {
    "hopopt": 0,
    "ipv6-encap": 41,
    "ipv6-route": 43,
    "ipv6-frag": 44,
    "ipv6-icmp": 58,
    "icmpv6": 58,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
}
ICMP_TYPES = {
    "echo-reply": 0,
    "destination-unreachable": 3,
    "source-quench": 4,
    "redirect": 5,
    "echo-request": 8,
    "router-advertisement": 9,
    "router-solicitation": 10,
    "time-exceeded": 11,
    "parameter-problem": 12,
    "timestamp-request": 13,
    "timestamp-reply": 14,
    "info-request": 15,
    "info-reply": 16,
    "address-mask-request": 17,
    "address-mask-reply": 18,
}
REMOTE_KINDS = ("group", "network", "instance")
_RANGE = re.compile(r"([0-9]{1,9}) ?- ?([0-9]{1,9})")


class RuleError(ValueError):
    """Not a rule; `hint` is how to write it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def protocol(written: str | int) -> str:
    """`any`, icmp, a protocol that has ports, or another protocol's number in decimal."""
    if isinstance(written, str) and written.isascii() and written.isdigit() and len(written) < 10:
        written = int(written)
    number = written if isinstance(written, int) else _number(written)
    if not -1 <= number <= 255 or written == -1:
        raise RuleError(f"there is no IP protocol {written}", "protocol numbers are 0 to 255")
    if number in IPV6_ONLY.values() and number != 0:
        raise RuleError(f"protocol {quote(written)} belongs to IPv6, and guests have IPv4 only", "remove this rule")
    return _USUAL.get(number, str(number))


def _number(written: str) -> int:
    name = written.lower()
    if name in IPV6_ONLY:
        hint = "remove this rule" if IPV6_ONLY[name] else "remove this rule, or write any for every protocol"
        raise RuleError(f"protocol {quote(written)} belongs to IPv6, and guests have IPv4 only", hint)
    if name not in PROTOCOLS:
        near = "any" if name in ("all", "*") else nearest(name, PROTOCOLS)
        hint = f"did you mean {quote(near)}?" if near else "write tcp, udp, icmp, any, or a protocol's number"
        raise RuleError(f"protocol {quote(written)} is unknown", hint)
    return PROTOCOLS[name]


def ports(written: str | int) -> tuple[int, int]:
    """First and last port of `80`, `"80"` or `8000-8010`."""
    if isinstance(written, int):
        first = last = written
    elif written.isascii() and written.isdigit() and len(written) < 10:
        first = last = int(written)
    else:
        match = _RANGE.fullmatch(written)
        if match is None:
            raise RuleError(f"{quote(written)} is not a port or a range of ports", "write 443, or 8000-8010")
        first, last = int(match[1]), int(match[2])
    for port in (first, last):
        if not 1 <= port <= 65535:
            raise RuleError(f"port {port} does not exist", "ports are 1 to 65535")
    if first > last:
        raise RuleError(f"the range {first}-{last} is the wrong way round", f"write {last}-{first}")
    return first, last


def icmp_type(written: str | int) -> int:
    """The number of an ICMP type given by name or number."""
    if isinstance(written, int):
        if not 0 <= written <= 255:
            raise RuleError(f"there is no ICMP type {written}", "types are 0 to 255, or a name such as echo-request")
        return written
    if written.lower() not in ICMP_TYPES:
        near = nearest(written, ICMP_TYPES)
        hint = f"did you mean {quote(near)}?" if near else "write its number, or a name such as echo-request"
        raise RuleError(f"the ICMP type {quote(written)} is unknown", hint)
    return ICMP_TYPES[written.lower()]


def remote(written: str) -> str:
    """`any`, `self`, a CIDR without host bits, group.X, network.X or instance.X (not checked to exist)."""
    kind, dot, name = written.partition(".")
    if written in ("any", "self") or (dot and name and kind in REMOTE_KINDS):
        return written
    if ":" in written:
        raise RuleError(f"{quote(written)} is an IPv6 address, and guests have IPv4 only", "remove this rule")
    if not written[:1].isdigit():
        kinds = [f"{kind}.NAME" for kind in REMOTE_KINDS]
        near = None if dot else nearest(written, ("any", "self"))
        hint = f"did you mean {quote(near)}?" if near else f"write any, self, a CIDR, {listing(kinds)}"
        raise RuleError(f"{quote(written)} is not something that a rule can name", hint)
    return _cidr(written)


def _cidr(written: str) -> str:
    try:
        network = IPv4Network(written, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise RuleError(f"{quote(written)} is not an IPv4 address or CIDR", "for example 192.0.2.0/24") from None
    address = written.partition("/")[0]
    if str(network.network_address) != address:
        hint = "write any" if network.prefixlen == 0 else f"write {network}, or {address}/32 for the one address"
        raise RuleError(f"{quote(written)} has host bits set", hint)
    return "any" if network.prefixlen == 0 else str(network)
