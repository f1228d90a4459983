"""Packets made by hand, in which the kernel's own checks find nothing wrong."""

import socket
import struct


def ipv4(source: str, target: str, protocol: int, payload: bytes) -> bytes:
    """With a header, for a socket of IPPROTO_RAW: the kernel fills in lengths and the checksum."""
    addresses = map(socket.inet_aton, (source, target))
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 1, 0, 64, protocol, 0, *addresses) + payload


def udp(source_port: int, target_port: int, payload: bytes = b"?") -> bytes:
    """Without a checksum, which UDP allows."""
    return struct.pack("!HHHH", source_port, target_port, 8 + len(payload), 0) + payload


def tcp_syn(source: str, target: str, source_port: int, target_port: int) -> bytes:
    header = struct.pack("!HHIIBBHHH", source_port, target_port, 1, 0, 5 << 4, 2, 1024, 0, 0)
    return _summed(header, 16, source, target, 6)


def udplite(source: str, target: str, source_port: int, target_port: int) -> bytes:
    """The checksum is over the header alone: where it is over all, connection tracking leaves out the pseudo header."""
    header = struct.pack("!HHHH", source_port, target_port, 8, 0)
    return _summed(header, 6, source, target, 136, more=2) + b"?!"


def dccp_request(source: str, target: str, source_port: int, target_port: int) -> bytes:
    """Type 0 with 48-bit sequence numbers, service code 0."""
    header = struct.pack("!HHBBHBBHII", source_port, target_port, 5, 0, 0, 0 << 1 | 1, 0, 0, 1, 0)
    return _summed(header, 6, source, target, 33)


def sctp_init(source_port: int, target_port: int) -> bytes:
    """Connection tracking takes no other chunk for the first."""
    chunk = struct.pack("!BBHIIHHI", 1, 0, 20, 7, 65536, 1, 1, 1)
    header = struct.pack("!HHI", source_port, target_port, 0)
    return header + struct.pack("<I", _crc32c(header + bytes(4) + chunk)) + chunk


def _summed(segment: bytes, at: int, source: str, target: str, protocol: int, more: int = 0) -> bytes:
    """`segment` with its checksum, which covers a pseudo header too, written at `at`; `more` bytes are not covered."""
    pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!HH", protocol, len(segment) + more)
    data = pseudo + segment + bytes(len(segment) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return segment[:at] + struct.pack("!H", ~total & 0xFFFF) + segment[at + 2 :]


def _crc32c(data: bytes) -> int:
    found = 0xFFFFFFFF
    for byte in data:
        found ^= byte
        for _ in range(8):
            found = found >> 1 ^ (0x82F63B78 if found & 1 else 0)
    return found ^ 0xFFFFFFFF
