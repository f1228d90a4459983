"""IPv6 in any form: guests have none, so that nobody here can be a router, a neighbour or a DHCP server of it."""

import struct

from tests.firewall.scene import Scene, Sent, Spoof
from tests.firewall.spoofs.make import Make
from tests.lab import frames

SIX = "inet not_plain"
LOCAL, ALL_NODES, ALL_ROUTERS, DHCP_SERVERS = "fe80::5054:ff:fe00:1", "ff02::1", "ff02::2", "ff02::1:2"
TARGET = bytes.fromhex("fe800000000000005054fffe000002aa")
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION, NO_NEXT = 0, 43, 44, 60, 59


def six(kind: int, payload: bytes, source: str = LOCAL, target: str = ALL_NODES) -> Make:
    return lambda on: _framed(on, frames.ip6(source, target, kind, payload + on.token))


def icmp6(kind: int, body: bytes, source: str = LOCAL, target: str = ALL_NODES) -> Make:
    def make(on: Scene) -> Sent:
        packet = frames.upper6(source, target, frames.ICMP6, struct.pack("!BBH", kind, 0, 0) + body + on.token, 2)
        return _framed(on, frames.ip6(source, target, frames.ICMP6, packet))

    return make


def udp6(ports: tuple[int, int], *between: tuple[int, bytes], source: str = LOCAL, target: str = ALL_NODES) -> Make:
    """`between` are extension headers, each (its own number, what is in it)."""

    def make(on: Scene) -> Sent:
        plain = struct.pack("!HHHH", *ports, 8 + len(on.token), 0) + on.token
        found, kind = frames.upper6(source, target, frames.UDP, plain, 6), frames.UDP
        for number, body in reversed(between):
            found, kind = frames.extension(kind, body) + found, number
        return _framed(on, frames.ip6(source, target, kind, found))

    return make


def _framed(on: Scene, packet: bytes) -> Sent:
    return on.framed(packet, frames.IP6, target="33:33:00:00:00:01")


ROUTE_0 = bytes([0, 1, 0, 0, 0, 0]) + TARGET
WHOLE_FRAGMENT = struct.pack("!HI", 0, 7)

CASES = [
    Spoof("a router's advertisement", icmp6(134, struct.pack("!BBHII", 64, 0, 1800, 0, 0)), SIX),
    Spoof("a router's solicitation", icmp6(133, bytes(4), target=ALL_ROUTERS), SIX, bare=False),
    Spoof("a neighbour's solicitation", icmp6(135, bytes(4) + TARGET), SIX),
    Spoof("a neighbour's advertisement", icmp6(136, b"\xa0\0\0\0" + TARGET), SIX),
    Spoof("an IPv6 redirect", icmp6(137, bytes(4) + TARGET * 2), SIX),
    Spoof("a ping of all nodes", icmp6(128, bytes(4)), SIX),
    Spoof("a multicast listener's report", icmp6(143, bytes(4), target="ff02::16"), SIX, bare=False),
    Spoof("DHCPv6 as a client", udp6((546, 547), target=DHCP_SERVERS), SIX, bare=False),
    Spoof("DHCPv6 as a server", udp6((547, 546)), SIX),
    Spoof("UDP to all nodes", udp6((1000, 1001)), SIX),
    Spoof("UDP behind hop-by-hop options", udp6((1000, 1001), (HOP_BY_HOP, b"")), SIX),
    Spoof("UDP behind destination options", udp6((1000, 1001), (DESTINATION, b"")), SIX),
    Spoof("UDP behind a routing header", udp6((1000, 1001), (ROUTING, ROUTE_0)), SIX, bare=False),
    Spoof("UDP behind a fragment header", udp6((1000, 1001), (FRAGMENT, WHOLE_FRAGMENT)), SIX),
    Spoof("three headers before UDP", udp6((1, 2), (HOP_BY_HOP, b""), (DESTINATION, b""), (DESTINATION, b"")), SIX),
    Spoof("no next header", six(NO_NEXT, b""), SIX, bare=False),
    Spoof("an IPv4 address in IPv6's clothes", udp6((1000, 1001), source="::ffff:10.20.0.12"), SIX),
    Spoof("a global address", udp6((1000, 1001), source="2001:db8::12"), SIX),
    Spoof("the metadata service's IPv6 address", icmp6(128, bytes(4), target="fe80::a9fe:a9fe"), SIX, bare=False),
    Spoof("no source", icmp6(135, bytes(4) + TARGET, source="::", target="ff02::1:ff00:2aa"), SIX, bare=False),
]
