"""What protocols look like that raw sockets send in a test: whole but for the IP header, unless it is asked for."""

import struct

from tests.lab import frames


def ipv4(source: str, target: str, protocol: int, payload: bytes) -> bytes:
    """With a header, for a socket of IPPROTO_RAW."""
    return frames.ip4(source, target, protocol, payload)


def udp(source_port: int, target_port: int, payload: bytes = b"?") -> bytes:
    """Without a checksum, which UDP allows."""
    return struct.pack("!HHHH", source_port, target_port, 8 + len(payload), 0) + payload


def tcp_syn(source: str, target: str, source_port: int, target_port: int) -> bytes:
    return frames.tcp(source, target, (source_port, target_port))


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
    return frames.sctp((source_port, target_port), 0, frames.INIT, frames.sctp_init(7, b""))


def _summed(segment: bytes, at: int, source: str, target: str, protocol: int, more: int = 0) -> bytes:
    """`segment` with its checksum, which covers a pseudo header too, written at `at`; `more` bytes are not covered."""
    sum_ = frames.checksum(frames.pseudo(source, target, protocol, len(segment) + more) + segment)
    return segment[:at] + struct.pack("!H", sum_) + segment[at + 2 :]
