"""Datagrams and packets into denials: what a real kernel sent, and whatever else may come."""

import struct
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsync.agent.denials import message
from cloudsync.agent.denials.packet import denial
from cloudsync.agent.firewall import denied
from cloudsync.model.denial import Denial
from cloudsync.model.resources import Direction

RECORDED = (Path(__file__).parent / "recordings" / "nflog-linux-6.18.bin").read_bytes()
TAP = "cs-0123456789ab"
EGRESS, INGRESS = Direction.EGRESS, Direction.INGRESS


def test_what_a_kernel_sent() -> None:
    prefixes, packets = zip(*message.packets(RECORDED), strict=True)
    assert prefixes == (f"pe_{TAP}", f"pe_{TAP}", f"pi_{TAP}")
    udp = Denial(side=EGRESS, protocol="udp", source="127.0.0.1", target="127.0.0.2", source_port=40001, target_port=9)
    ping = Denial(side=INGRESS, protocol="icmp", source="127.0.0.1", target="127.0.0.3", icmp=(8, 0))
    assert [denial(EGRESS, packets[0]), denial(EGRESS, packets[1]), denial(INGRESS, packets[2])] == [udp, udp, ping]
    assert message.refusal(RECORDED) is None


@pytest.mark.parametrize(
    ("prefix", "port"),
    [
        (f"pi_{TAP}", denied.Port(TAP, INGRESS)),
        (f"pe_{TAP}", denied.Port(TAP, EGRESS)),
        (f"pe_{TAP}\n", None),
        (f"px_{TAP}", None),
        ("pe_cs-0123456789AB", None),
        (f"pe_{TAP}0", None),
        ("", None),
    ],
)
def test_only_our_own_prefixes_name_a_port(prefix: str, port: denied.Port | None) -> None:
    assert denied.port(prefix) == port


def test_the_kernels_word_on_a_request() -> None:
    accepted = struct.pack("=IHHIIi", 20, 2, 0, 0, 0, 0)
    refused = struct.pack("=IHHIIi", 20, 2, 0, 0, 0, -1)
    assert (message.refusal(accepted), message.refusal(RECORDED + refused)) == (0, 1)


def test_requests_are_whole_messages_for_the_group() -> None:
    for request in message.requests(denied.GROUP):
        assert struct.unpack_from("=IHH", request) == (len(request), 0x401, 5)
        assert struct.unpack_from(">H", request, 18) == (denied.GROUP,)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_left_out(data: bytes) -> None:
    for prefix, packet in message.packets(data):
        assert isinstance(prefix, str)
        denial(EGRESS, packet)
    message.refusal(data)


@given(st.data())
def test_a_damaged_datagram_is_read_or_left_out(data: st.DataObject) -> None:
    """Single bytes changed and the end cut off: lengths that lie are what such a parser dies of."""
    damaged = bytearray(RECORDED[: data.draw(st.integers(0, len(RECORDED)))])
    for _ in range(data.draw(st.integers(0, 6))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    found = list(message.packets(bytes(damaged)))
    assert sum(len(packet) for _, packet in found) <= len(damaged)
    for _, packet in found:
        denial(INGRESS, packet)


@given(st.binary(max_size=80))
def test_any_packet_is_told_or_left_out(data: bytes) -> None:
    found = denial(INGRESS, data)
    if found:
        assert IPv4Address(found.source).packed == data[12:16]
        assert IPv4Address(found.target).packed == data[16:20]
        assert all(port is None or 0 <= port <= 0xFFFF for port in (found.source_port, found.target_port))
        assert found.protocol.isalnum()


def ipv4(words: int = 5, protocol: int = 6, offset: int = 0, inner: bytes = b"\x9c\x41\x00\x50") -> bytes:
    """A packet with a header of `words` times four bytes."""
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | words, 0, 0, 1, offset, 64, protocol, 0, b"\n\x14\0\x0b", b"\n\x14\0\r")
    return head + bytes(max(0, words * 4 - 20)) + inner


@pytest.mark.parametrize(
    ("packet", "ports", "icmp"),
    [
        (ipv4(), (40001, 80), None),
        (ipv4(words=15), (40001, 80), None),
        (ipv4(protocol=132), (40001, 80), None),
        (ipv4(protocol=33), (40001, 80), None),
        (ipv4(protocol=136), (40001, 80), None),
        # A fragment that is not the first has no ports, whatever its bytes look like.
        (ipv4(offset=1), (None, None), None),
        (ipv4(offset=0x2000), (40001, 80), None),
        (ipv4(inner=b"\x9c\x41\x00"), (None, None), None),
        (ipv4(protocol=47), (None, None), None),
        (ipv4(protocol=1, inner=b"\x08\x00"), (None, None), (8, 0)),
        (ipv4(protocol=1, inner=b"\x08"), (None, None), None),
        # A header shorter than a header can be.
        (ipv4(words=4), (None, None), None),
    ],
)
def test_ports_and_icmp_are_told_only_where_they_are(
    packet: bytes, ports: tuple[int | None, int | None], icmp: tuple[int, int] | None
) -> None:
    found = denial(EGRESS, packet)
    assert found
    assert ((found.source_port, found.target_port), found.icmp) == (ports, icmp)


@pytest.mark.parametrize("data", [b"", b"\x45" + bytes(18), b"\x60" + bytes(60)])
def test_what_is_no_ipv4_packet_is_left_out(data: bytes) -> None:
    assert denial(EGRESS, data) is None
