"""Ethernet frames of one's choice, for senders that no kernel keeps from lying: plain bytes, checksums right.

Whoever sends them decides every header; `payload` is where a test puts what it knows its packet by.
"""

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

ARP, IP4, IP6, RARP, VLAN, PROVIDER_VLAN = 0x0806, 0x0800, 0x86DD, 0x8035, 0x8100, 0x88A8
ICMP, IGMP, IPIP, TCP, UDP, IP6_IN_IP4, GRE, ICMP6, SCTP = 1, 2, 4, 6, 17, 41, 47, 58, 132
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
MORE = 0x2000
"""The fragment field's bit that says: more of this datagram follows."""
LSRR, SSRR, RECORD_ROUTE = 131, 137, 7
DATA, INIT, INIT_ACK, COOKIE_ECHO, COOKIE_ACK = 0, 1, 2, 10, 11
"""SCTP chunks."""
BROADCAST = "ff:ff:ff:ff:ff:ff"


def ethernet(target: str, source: str, kind: int, body: bytes, tags: Sequence[tuple[int, int]] = ()) -> bytes:
    """`tags` are (EtherType, VLAN number), outermost first."""
    words = b"".join(struct.pack("!HH", ethertype, number) for ethertype, number in tags)
    return _mac(target) + _mac(source) + words + struct.pack("!H", kind) + body


def arp(operation: int, sender: tuple[str, str], target: tuple[str, str]) -> bytes:
    """Both ends as (MAC, address)."""
    ends = b"".join(_mac(mac) + socket.inet_aton(address) for mac, address in (sender, target))
    return struct.pack("!HHBBH", 1, IP4, 6, 4, operation) + ends


def ip4(
    source: str,
    target: str,
    protocol: int,
    payload: bytes,
    options: bytes = b"",
    number: int = 0,
    fragment: int = 0,
) -> bytes:
    """`number` and `fragment` are the header's identification, and its flags with the offset in eights of bytes."""
    length = 20 + len(options)
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    start = struct.pack("!BBHHHBB", 0x40 | length // 4, 0, length + len(payload), number, fragment, 64, protocol)
    whole = checksum(start + b"\0\0" + addresses + options)
    return start + struct.pack("!H", whole) + addresses + options + payload


def route_option(kind: int, *addresses: str) -> bytes:
    """Source or record route, padded to whole words; the pointer stands at the first address."""
    body = b"".join(map(socket.inet_aton, addresses))
    option = bytes([kind, 3 + len(body), 4]) + body
    return option + bytes(-len(option) % 4)


def fragments(datagram: bytes, cut: int, number: int) -> tuple[bytes, bytes]:
    """An IPv4 packet without options in two, `cut` bytes of its payload in the first; eight must divide `cut`."""
    source, target = socket.inet_ntoa(datagram[12:16]), socket.inet_ntoa(datagram[16:20])
    payload, protocol = datagram[20:], datagram[9]
    first = ip4(source, target, protocol, payload[:cut], number=number, fragment=MORE)
    return first, ip4(source, target, protocol, payload[cut:], number=number, fragment=cut // 8)


def udp4(source: str, target: str, ports: tuple[int, int], payload: bytes) -> bytes:
    """The whole IPv4 packet."""
    return ip4(source, target, UDP, udp(source, target, ports, payload))


def udp(source: str, target: str, ports: tuple[int, int], payload: bytes) -> bytes:
    header = struct.pack("!HHH", *ports, 8 + len(payload))
    sum_ = checksum(pseudo(source, target, UDP, 8 + len(payload)) + header + b"\0\0" + payload)
    return header + struct.pack("!H", sum_ or 0xFFFF) + payload


def tcp4(
    source: str,
    target: str,
    ports: tuple[int, int],
    payload: bytes = b"",
    flags: int = SYN,
    numbers: tuple[int, int] = (1, 0),
) -> bytes:
    """The whole IPv4 packet; `numbers` are sequence and acknowledgement."""
    return ip4(source, target, TCP, tcp(source, target, ports, payload, flags, numbers))


def tcp(
    source: str,
    target: str,
    ports: tuple[int, int],
    payload: bytes = b"",
    flags: int = SYN,
    numbers: tuple[int, int] = (1, 0),
) -> bytes:
    start = struct.pack("!HHIIBBH", *ports, *numbers, 5 << 4, flags, 0xFFFF)
    sum_ = checksum(pseudo(source, target, TCP, 20 + len(payload)) + start + bytes(4) + payload)
    return start + struct.pack("!HH", sum_, 0) + payload


def icmp(kind: int, code: int, rest: int, payload: bytes) -> bytes:
    """`rest` is the header's second word: identifier and sequence number, a gateway, or an MTU."""
    word = struct.pack("!I", rest)
    return struct.pack("!BBH", kind, code, checksum(bytes([kind, code, 0, 0]) + word + payload)) + word + payload


def sctp(ports: tuple[int, int], tag: int, chunk: int, body: bytes) -> bytes:
    """One chunk, padded."""
    padded = struct.pack("!BBH", chunk, 0, 4 + len(body)) + body + bytes(-len(body) % 4)
    start = struct.pack("!HHI", *ports, tag)
    return start + struct.pack("<I", _crc32c(start + bytes(4) + padded)) + padded


def sctp_init(tag: int, payload: bytes) -> bytes:
    """The body of INIT and INIT_ACK; `payload` travels in a parameter that receivers skip."""
    parameter = struct.pack("!HH", 0xBFFF, 4 + len(payload)) + payload
    return struct.pack("!IIHHI", tag, 0xFFFF, 1, 1, 1) + parameter


def ip6(source: str, target: str, kind: int, payload: bytes) -> bytes:
    addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
    return struct.pack("!IHBB", 6 << 28, len(payload), kind, 255) + addresses + payload


def extension(kind: int, body: bytes = b"") -> bytes:
    """An IPv6 extension header of eight bytes or more that leads to `kind`; by itself it holds padding."""
    body = body or b"\x01\x04\0\0\0\0"
    return bytes([kind, (2 + len(body)) // 8 - 1]) + body


def upper6(source: str, target: str, kind: int, payload: bytes, sum_at: int) -> bytes:
    """`payload` with the checksum that IPv6 wants at `sum_at`."""
    ends = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
    sum_ = checksum(ends + struct.pack("!II", len(payload), kind) + payload)
    return payload[:sum_at] + struct.pack("!H", sum_) + payload[sum_at + 2 :]


def checksum(data: bytes) -> int:
    """The Internet's, of `data` in which its own place is zero."""
    total = int(sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2))))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclass(frozen=True, slots=True)
class Packet:
    """An IPv4 packet as it was found on a wire; `body` is what follows its header."""

    source: str
    target: str
    protocol: int
    body: bytes

    @property
    def ports(self) -> tuple[int, int]:
        first, second = struct.unpack_from("!HH", self.body)
        return int(first), int(second)


def parse4(frame: bytes) -> Packet | None:
    """None when the frame, without VLAN tags, holds no IPv4."""
    if len(frame) < 34 or struct.unpack_from("!H", frame, 12)[0] != IP4:
        return None
    length = (frame[14] & 15) * 4
    ends = socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])
    total = struct.unpack_from("!H", frame, 16)[0]
    return Packet(*ends, frame[23], frame[14 + length : 14 + total])


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def pseudo(source: str, target: str, protocol: int, length: int) -> bytes:
    return socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!HH", protocol, length)


def _crc_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC = _crc_table()


def _crc32c(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value = (value >> 8) ^ _CRC[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF
