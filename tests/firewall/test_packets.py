"""What packets really do between guests that are namespaces: groups, anti-spoofing, the host's own protection, NAT."""

import socket
import struct
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import pytest

from cloudsync.reach.recorded import of_document
from cloudsync.reach.service import of_packet
from tests.effort import PATIENCE
from tests.firewall.documents import DEFAULT, NETWORK, document, egress, group, ingress, instance
from tests.lab import dhcp
from tests.lab.standins import HOST, METADATA_PORT, OUTSIDE, Guest, Lab, Peer, standins

pytestmark = pytest.mark.real

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
GROUPS = [
    DEFAULT,
    group("web", ingress("any", "tcp", (80, 80)), egress("group.db", "tcp", (5432, 5432))),
    group("db", ingress("group.web", "tcp", (5432, 5432)), ingress("198.51.100.0/24", "udp", (9, 10))),
    group("shut"),
]
DOCUMENT = document(
    [
        instance("a", "10.20.0.11"),
        instance("b", "10.20.0.12"),
        instance("web", "10.20.0.13", ("web",)),
        instance("db", "10.20.0.14", ("db",)),
        instance("shut", "10.20.0.15", ("shut",)),
    ],
    GROUPS,
)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with standins(DOCUMENT) as made:
        made.apply(DOCUMENT)
        yield made


def test_nothing_drifts_once_applied(lab: Lab) -> None:
    assert lab.drift(DOCUMENT) == []


@pytest.mark.parametrize(
    ("source", "target", "port", "kind", "through"),
    [
        ("a", "b", 22, TCP, True),  # members of default talk to each other
        ("b", "a", 5000, UDP, True),
        ("a", "web", 80, TCP, True),  # from anywhere, port 80 only
        ("a", "web", 81, TCP, False),
        ("a", "web", 80, UDP, False),
        ("web", "a", 22, TCP, False),  # web may send to db only
        ("web", "db", 5432, TCP, True),  # both ends agree
        ("web", "db", 5433, TCP, False),
        ("a", "db", 5432, TCP, False),  # not of group web: the receiving end denies
        ("db", "web", 80, TCP, False),  # db has no egress: the sending end denies, though web lets anybody in
        ("shut", "web", 80, TCP, False),
        ("a", "shut", 80, TCP, False),
    ],
)
def test_between_guests(lab: Lab, source: str, target: str, port: int, kind: int, through: bool) -> None:
    assert lab.reaches(lab.guests[source], lab.guests[target], port, kind) is through


@pytest.mark.parametrize(
    ("target", "port", "kind", "through"),
    [
        ("web", 80, TCP, True),
        ("web", 443, TCP, False),
        ("a", 22, TCP, False),
        ("db", 5432, TCP, False),
        ("db", 9, UDP, True),  # by CIDR
        ("db", 11, UDP, False),
    ],
)
def test_from_outside(lab: Lab, target: str, port: int, kind: int, through: bool) -> None:
    assert lab.reaches(lab.outside, lab.guests[target], port, kind) is through


@pytest.mark.parametrize(("source", "through"), [("a", True), ("web", False), ("shut", False)])
def test_to_outside(lab: Lab, source: str, through: bool) -> None:
    assert lab.reaches(lab.guests[source], lab.outside, 443, TCP) is through
    assert lab.reaches(lab.guests[source], lab.outside, 53, UDP) is through


def test_packets_do_what_the_model_says(lab: Lab) -> None:
    """Eviction asks the one and the kernel the other: they must not disagree."""
    scene = of_document(DOCUMENT)
    for source, target in permutations(lab.guests.values(), 2):
        for port in (80, 5432):
            said = scene.permits(source.address, target.address, of_packet(6, port, None))
            assert lab.reaches(source, target, port) is said, (source.instance.name, target.instance.name, port)


def test_outside_sees_the_hosts_address_and_guests_see_each_others(lab: Lab) -> None:
    for server, seen in ((lab.outside, HOST), (lab.guests["b"], "10.20.0.11")):
        with server.listen(7000) as listening, lab.guests["a"].connect(server.address, 7000) as client:
            accepted, peer = listening.accept()
            with accepted:
                assert peer[0] == seen
                client.sendall(b"there and back")
                accepted.sendall(accepted.recv(100))
                assert client.recv(100) == b"there and back"


def counted(lab: Lab, chain: str) -> int:
    """The last counter of a chain: what nothing in it let pass."""
    return [int(one["packets"]) for one in lab.counters() if one["chain"] == chain][-1]


def raw_udp(guest: Peer, source: str, target: str) -> None:
    """A UDP packet from an address of one's choice."""
    payload = struct.pack("!HHHH", 1000, 2000, 8, 0)
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 1, 0, 64, 17, 0, *map(socket.inet_aton, (source, target)))
    with guest.namespace.socket(socket.SOCK_RAW, protocol=socket.IPPROTO_RAW) as sender:
        sender.sendto(header + payload, (target, 0))


def test_a_forged_address_is_dropped_and_counted(lab: Lab) -> None:
    before = counted(lab, "inet antispoof")
    raw_udp(lab.guests["a"], "10.20.0.12", "10.20.0.13")
    raw_udp(lab.guests["a"], "192.0.2.77", OUTSIDE)
    assert counted(lab, "inet antispoof") == before + 2


def test_a_forged_mac_is_dropped_and_counted(lab: Lab) -> None:
    guest = lab.guests["b"]
    gateway_mac = lab.host.run("cat", f"/sys/class/net/{guest.nic.tap}/address").stdout.strip()
    guest.namespace.ip("link", "set", "eth0", "address", "52:54:00:99:99:99")
    guest.namespace.ip("neigh", "replace", NETWORK.gateway, "lladdr", gateway_mac, "dev", "eth0", "nud", "permanent")
    try:
        before = counted(lab, "inet antispoof")
        raw_udp(guest, "10.20.0.12", "10.20.0.11")
        assert counted(lab, "inet antispoof") == before + 1
    finally:
        guest.namespace.ip("link", "set", "eth0", "address", guest.nic.mac)


def arp_request(guest: Guest, mac: str, sender: str) -> None:
    hardware = bytes.fromhex(mac.replace(":", ""))
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + hardware + socket.inet_aton(sender) + bytes(6)
    frame = b"\xff" * 6 + hardware + b"\x08\x06" + body + socket.inet_aton(NETWORK.gateway)
    with guest.namespace.socket(socket.SOCK_RAW, socket.AF_PACKET) as sender_socket:
        sender_socket.bind(("eth0", 0))
        sender_socket.send(frame)


def test_forged_arp_is_dropped_and_leaves_no_neighbour(lab: Lab) -> None:
    guest = lab.guests["a"]
    before = counted(lab, "arp guest")
    for last in range(50, 60):
        arp_request(guest, guest.nic.mac, f"10.20.0.{last}")
    arp_request(guest, "52:54:00:99:99:99", guest.address)
    assert counted(lab, "arp guest") == before + 11
    assert "10.20.0.5" not in lab.host.ip("neigh")
    arp_request(guest, guest.nic.mac, guest.address)
    assert counted(lab, "arp guest") == before + 11


def test_a_guest_that_plays_dhcp_server_is_not_heard(lab: Lab) -> None:
    source, target = lab.guests["a"], lab.guests["b"]
    with source.namespace.socket(UDP) as server, dhcp.opened(target.namespace) as client:
        server.bind(("", 67))
        before = lab.dropped()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        server.setsockopt(socket.SOL_SOCKET, 25, b"eth0\0")
        server.sendto(b"offer", ("255.255.255.255", 68))
        assert lab.dropped() == before + 1
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(100)


@pytest.mark.parametrize("address", [HOST, NETWORK.gateway])
def test_the_host_is_closed_to_guests(lab: Lab, address: str) -> None:
    host = Peer(lab.host, address)
    for port in (22, METADATA_PORT, 16509):
        with host.listen(port):
            assert not lab.reaches(lab.guests["a"], address, port)
    assert not lab.reaches(lab.guests["a"], host, 500, UDP)


def test_the_host_reaches_guests_and_is_answered(lab: Lab) -> None:
    with lab.guests["shut"].listen(22) as server, Peer(lab.host, HOST).connect("10.20.0.15", 22):
        server.accept()[0].close()


def test_metadata_arrives_with_the_guests_own_address(lab: Lab) -> None:
    guest = lab.guests["a"]
    with Peer(lab.host, "").listen(METADATA_PORT) as service, guest.connect("169.254.169.254", 80):
        accepted, peer = service.accept()
        accepted.close()
        assert peer[0] == guest.address


def test_metadata_is_for_guests_only(lab: Lab) -> None:
    with Peer(lab.host, "").listen(METADATA_PORT):
        assert not lab.reaches(lab.outside, HOST, METADATA_PORT)
        Peer(lab.host, "").connect("127.0.0.1", METADATA_PORT).close()


def ping(guest: Peer, address: str) -> bytes:
    """One echo request; its answer."""
    with guest.namespace.socket(socket.SOCK_RAW, protocol=socket.IPPROTO_ICMP) as client:
        client.settimeout(PATIENCE)
        client.sendto(struct.pack("!BBHHH", 8, 0, 0xF7FE - 7, 1, 7), (address, 0))
        return client.recv(100)


def test_the_gateway_answers_ping_and_the_uplink_address_does_not(lab: Lab) -> None:
    assert ping(lab.guests["shut"], NETWORK.gateway)[20] == 0
    before = counted(lab, "inet guest_to_host")
    with lab.guests["shut"].namespace.socket(socket.SOCK_RAW, protocol=socket.IPPROTO_ICMP) as client:
        client.sendto(struct.pack("!BBHHH", 8, 0, 0xF7FE - 7, 1, 7), (HOST, 0))
    assert counted(lab, "inet guest_to_host") == before + 1


def test_the_gateway_answers_names_to_a_guest_without_any_rule(lab: Lab) -> None:
    for tcp in (False, True):
        assert dhcp.resolve(lab.guests["shut"].namespace, NETWORK.gateway, "web", tcp=tcp) == (0, {"10.20.0.13"})


def test_infra_is_out_of_reach_for_a_guest_that_may_send_anything(lab: Lab) -> None:
    guarded = replace(DOCUMENT, infra=(OUTSIDE,))
    lab.apply(guarded)
    assert not lab.reaches(lab.guests["a"], lab.outside, 443)
    lab.apply(DOCUMENT)
    assert lab.reaches(lab.guests["a"], lab.outside, 443)
