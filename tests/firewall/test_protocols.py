"""Every protocol that a rule can name, with real packets: by name with ports or types, by number, and all of them."""

import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from cloudsync.model.resources import WITH_PORTS
from tests.firewall.documents import document, egress, group, ingress, instance
from tests.firewall.model import Model
from tests.lab import packets
from tests.lab.packets import dccp_request, sctp_init, udplite
from tests.lab.standins import Guest, Lab, Peer, standins

pytestmark = pytest.mark.real

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
GROUPS = [
    group("default", egress()),
    group("named", *(ingress("any", name, (5004, 5006)) for name in WITH_PORTS)),
    group("numbers", ingress("any", "47"), ingress("any", "112"), ingress("any", "255")),
    group("icmp", ingress("any", "icmp", icmp=(8, None)), ingress("any", "icmp", icmp=(13, 0))),
    group("everything", ingress("198.51.100.0/24")),
]
GUESTS = {"named": 11, "numbers": 12, "icmp": 13, "everything": 14, "nothing": 15, "a": 16}
DOCUMENT = document(
    [
        instance(name, f"10.20.0.{last}", ("default",) if name in ("a", "nothing") else ("default", name))
        for name, last in GUESTS.items()
    ],
    GROUPS,
)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with standins(DOCUMENT) as made:
        made.apply(DOCUMENT)
        yield made


def crosses(lab: Lab, source: Peer, target: Guest, protocol: int, payload: bytes) -> bool:
    """Whether a single packet of this protocol gets from one to the other."""
    before = lab.dropped()
    with target.namespace.socket(socket.SOCK_RAW, protocol=protocol) as server:
        send(source, target.address, protocol, payload)
        return lab.arrived(server, before)


def send(source: Peer, target: str, protocol: int, payload: bytes) -> None:
    with source.namespace.socket(socket.SOCK_RAW, protocol=protocol) as client:
        client.sendto(payload, (target, 0))


BY_HAND: dict[str, Callable[[str, str, int, int], bytes]] = {
    "dccp": dccp_request,
    "sctp": lambda _source, _target, source_port, target_port: sctp_init(source_port, target_port),
    "udplite": udplite,
}


@pytest.mark.parametrize("name", BY_HAND)
@pytest.mark.parametrize("target", ["named", "nothing"])
@pytest.mark.parametrize(("port", "inside"), [(5003, False), (5004, True), (5006, True), (5007, False)])
def test_ports_of_the_rare_ones(lab: Lab, name: str, target: str, port: int, inside: bool) -> None:
    """From a port of its own each time: each is a flow of its own."""
    source, guest = lab.guests["a"], lab.guests[target]
    payload = BY_HAND[name](source.address, guest.address, 20000 + port, port)
    through = target == "named" and inside
    assert crosses(lab, source, guest, WITH_PORTS[name], payload) is through
    assert Model(DOCUMENT)(source.address, guest.address, WITH_PORTS[name], port) is through
    lab.host.run("conntrack", "-F")


@pytest.mark.parametrize(("port", "inside"), [(5003, False), (5004, True), (5006, True), (5007, False)])
@pytest.mark.parametrize("kind", [TCP, UDP])
def test_ports_of_the_usual_ones(lab: Lab, kind: int, port: int, inside: bool) -> None:
    assert lab.reaches(lab.guests["a"], lab.guests["named"], port, kind) is inside


@pytest.mark.parametrize("name", ["dccp", "udplite"])
def test_what_is_not_tracked_needs_a_rule_each_way_and_never_leaves_unmasqueraded(lab: Lab, name: str) -> None:
    """No packet of these is a reply to another: a port that is closed stays closed to who speaks on an open one."""
    one, other = lab.guests["a"], lab.guests["named"]

    def packet(source: Peer, target: Peer, port: int) -> bytes:
        return BY_HAND[name](source.address, target.address, port, port)

    assert crosses(lab, one, other, WITH_PORTS[name], packet(one, other, 5005))
    tracked = name in lab.host.run("conntrack", "-L").stdout
    assert crosses(lab, other, one, WITH_PORTS[name], packet(other, one, 5005)) is tracked
    assert not crosses(lab, one, other, WITH_PORTS[name], packet(one, other, 5003))
    before = lab.dropped()
    with lab.outside.namespace.socket(socket.SOCK_RAW, protocol=WITH_PORTS[name]) as server:
        send(one, lab.outside.address, WITH_PORTS[name], packet(one, lab.outside, 5005))
        assert lab.arrived(server, before) is tracked
    lab.host.run("conntrack", "-F")


@pytest.mark.parametrize("protocol", [2, 4, 46, 47, 50, 51, 88, 89, 103, 112, 253, 255])
@pytest.mark.parametrize("target", ["numbers", "nothing"])
def test_numbers(lab: Lab, protocol: int, target: str) -> None:
    """GRE is the one with a header that connection tracking reads."""
    through = target == "numbers" and protocol in (47, 112, 255)
    payload = struct.pack("!HHII", 0, 0x6558, 0, 0)
    source, guest = lab.guests["a"], lab.guests[target]
    if protocol == 255:
        assert crosses_with_header(lab, source, guest, protocol, payload) is through
    else:
        assert crosses(lab, source, guest, protocol, payload) is through
    assert Model(DOCUMENT)(source.address, guest.address, protocol) is through
    lab.host.run("conntrack", "-F")


def crosses_with_header(lab: Lab, source: Peer, target: Guest, protocol: int, payload: bytes) -> bool:
    """255 is the raw socket's own word for "with header": only a packet socket hears it."""
    before = lab.dropped()
    with (
        target.namespace.socket(socket.SOCK_DGRAM, socket.AF_PACKET) as server,
        source.namespace.socket(socket.SOCK_RAW, protocol=socket.IPPROTO_RAW) as client,
    ):
        server.bind(("eth0", 0x0800))
        client.sendto(packets.ipv4(source.address, target.address, protocol, payload), (target.address, 0))
        return lab.arrived(server, before)


@pytest.mark.parametrize(
    ("kind", "code", "through"), [(8, 0, True), (8, 1, True), (13, 0, True), (13, 1, False), (17, 0, False)]
)
def test_icmp_by_type_and_code(lab: Lab, kind: int, code: int, through: bool) -> None:
    """Types that begin something: errors are let through with the flow that they are about, or not at all."""
    source, guest = lab.guests["a"], lab.guests["icmp"]
    checksum = 0xFFFF - (kind << 8 | code) - 1
    payload = struct.pack("!BBHHH", kind, code, checksum, 1, 0)
    assert crosses(lab, source, guest, 1, payload) is through
    lab.host.run("conntrack", "-F")


def test_a_rule_without_protocol_is_for_all_of_them(lab: Lab) -> None:
    guest = lab.guests["everything"]
    for protocol in (1, 6, 17, 33, 47, 99, 132, 136, 254):
        payload = {
            1: struct.pack("!BBHHH", 13, 0, 0xF2FE, 1, 0),
            6: packets.tcp_syn(lab.outside.address, guest.address, 9, 9),
            17: packets.udp(9, 9),
            33: dccp_request(lab.outside.address, guest.address, 9, 9),
            132: sctp_init(9, 9),
            136: udplite(lab.outside.address, guest.address, 9, 9),
        }.get(protocol, bytes(8))
        assert crosses(lab, lab.outside, guest, protocol, payload), protocol
        assert not crosses(lab, lab.guests["a"], guest, protocol, payload), protocol
