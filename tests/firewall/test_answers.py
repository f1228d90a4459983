"""What the host answers a guest: DHCP, names, metadata, and ping of a gateway. Every port is tried, and counted."""

import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

import pytest

from cloudsync.model.resources import Network
from tests.firewall.documents import NETWORK, document, egress, group, ingress, instance
from tests.lab import dhcp, frames
from tests.lab.standins import HOST, PATIENCE, Lab, standins
from tests.lab.wire import Wire, wired

pytestmark = pytest.mark.real

A, GATEWAY, OTHER_GATEWAY = "10.20.0.11", "10.20.0.1", "10.30.0.1"
MORE = "10.99.0.1"
"""One more of the host's own."""
BACK = Network(name="back", subnet="10.30.0.0/24", gateway=OTHER_GATEWAY, domain="back.internal")
DOCUMENT = document(
    [instance("a", A, ("open",)), instance("b", "10.30.0.12", ("open",), network="back")],
    [group("open", egress(), ingress())],
    [NETWORK, BACK],
)
LISTENING = [22, 111, 2049, 5900, 16509, 16514, 49152]
EVERY = range(1, 65536)
USUAL = sorted({*range(1, 1200), *LISTENING, 4789, 5353, 5355, 6443, 8080, 8775, 10250, 65535})
AS_FRAME = bytes(12) + b"\x08\0"
BURST = 200
"""Frames between two looks at what came out: a CPU's queue holds a thousand."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with standins(DOCUMENT, addressed=False) as made:
        made.apply(DOCUMENT)
        yield made


@pytest.fixture(scope="module")
def wire(lab: Lab) -> Iterator[Wire]:
    """On a host that has much to offer, and would route its loopback."""
    lab.host.sysctl("net/ipv4/conf/all/route_localnet", 1)
    lab.host.ip("addr", "add", f"{MORE}/32", "dev", "lo")
    with ExitStack() as stack:
        for port in LISTENING:
            listening = stack.enter_context(lab.host.socket(socket.SOCK_STREAM))
            listening.bind(("", port))
            listening.listen()
            stack.enter_context(lab.host.socket(socket.SOCK_DGRAM)).bind(("", port))
        yield stack.enter_context(wired(lab))


def numbered(segment: bytes, port: int, sum_at: int) -> bytes:
    """The same segment to another port than 0, its checksum put right without adding everything up again."""
    (old,) = struct.unpack_from("!H", segment, sum_at)
    total = (~old & 0xFFFF) + port
    fresh = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return segment[:2] + struct.pack("!H", port) + segment[4:sum_at] + struct.pack("!H", fresh) + segment[sum_at + 2 :]


def scan(wire: Wire, target: str, ports: Iterable[int]) -> tuple[set[tuple[int, int]], int, int]:
    """(protocol, port) of all that got past the firewall, how many were sent, and how many were counted as dropped."""
    shapes = [
        (frames.TCP, frames.tcp(A, target, (40000, 0)), 16),
        (frames.UDP, frames.udp(A, target, (40000, 0), b"?"), 6),
    ]
    heads = [wire.to_host("a", frames.ip4(A, target, number, shape))[: -len(shape)] for number, shape, _ in shapes]
    before, reached, sent = wire.lab.dropped(), set(), 0
    wire.settle()
    for port in ports:
        for head, (_, shape, sum_at) in zip(heads, shapes, strict=True):
            wire.send("a", head + numbered(shape, port, sum_at))
            sent += 1
        if sent % BURST == 0:
            reached |= heard(wire)
    return reached | heard(wire), sent, wire.lab.dropped() - before


def heard(wire: Wire) -> set[tuple[int, int]]:
    """What the host's raw sockets saw of a: they come after the firewall and before whoever listens."""
    packets = [frames.parse4(AS_FRAME + data) for place, data in wire.settle() if place == "host"]
    return {(one.protocol, one.ports[1]) for one in packets if one and one.source == A}


@pytest.mark.parametrize(
    ("target", "ports", "answered"),
    [
        (GATEWAY, EVERY, {(frames.TCP, 53), (frames.UDP, 53)}),
        (OTHER_GATEWAY, USUAL, {(frames.TCP, 53), (frames.UDP, 53)}),
        (HOST, USUAL, set()),
        ("127.0.0.1", USUAL, set()),
        (MORE, USUAL, set()),
    ],
)
def test_every_port(wire: Wire, target: str, ports: Iterable[int], answered: set[tuple[int, int]]) -> None:
    reached, sent, dropped = scan(wire, target, ports)
    assert reached == answered
    assert dropped == sent - len(answered)


def test_every_protocol(wire: Wire) -> None:
    """None but the three that have a rule is let through, whatever is in it."""
    others = [number for number in range(256) if number not in (frames.ICMP, frames.TCP, frames.UDP)]
    before = wire.lab.dropped()
    for target in (GATEWAY, HOST):
        for number in others:
            wire.send("a", wire.to_host("a", frames.ip4(A, target, number, bytes(40))))
    assert heard(wire) == set()
    assert wire.lab.dropped() == before + 2 * len(others)


def test_every_kind_of_icmp(wire: Wire) -> None:
    before = wire.lab.dropped()
    wire.settle()
    for kind in range(256):
        wire.send("a", wire.to_host("a", frames.ip4(A, GATEWAY, frames.ICMP, frames.icmp(kind, 0, kind, bytes(40)))))
    packets = [frames.parse4(AS_FRAME + data) for place, data in wire.settle() if place == "host"]
    assert {one.body[0] for one in packets if one and one.source == A} == {8}
    assert wire.lab.dropped() == before + 255


def test_a_lease_for_its_own_mac_only(lab: Lab) -> None:
    """Both questions are honest packets; the one about b's MAC comes first, and it is the other that is answered."""
    guests = lab.guests
    with dhcp.opened(guests["a"].namespace) as client:
        client.settimeout(PATIENCE)
        client.sendto(dhcp.message(dhcp.DISCOVER, guests["b"].nic.mac, b"evil"), ("255.255.255.255", 67))
        answer = dhcp.ask(client, dhcp.message(dhcp.DISCOVER, guests["a"].nic.mac, b"fair"))
        assert (answer.kind, answer.address) == (dhcp.OFFER, A)
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(2048)
    assert dhcp.lease(guests["a"].namespace, guests["a"].nic.mac).address == A
