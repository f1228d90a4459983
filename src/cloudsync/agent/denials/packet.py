"""The first bytes of an IPv4 packet that a stranger made into what a person reads (pure)."""

import struct
from ipaddress import IPv4Address

from cloudsync.model.denial import Denial
from cloudsync.model.resources import WITH_PORTS, Direction

_ICMP = 1
_PROTOCOLS = {_ICMP: "icmp"} | {number: name for name, number in WITH_PORTS.items()}
_SHORTEST = 20


def denial(side: Direction, packet: bytes) -> Denial | None:
    """None when it is not IPv4. What is cut off or hidden by fragmentation is left out, never guessed."""
    if len(packet) < _SHORTEST or packet[0] >> 4 != 4:
        return None
    number = packet[9]
    inner = _inner(packet)
    ports = struct.unpack_from(">HH", inner) if number in WITH_PORTS.values() and len(inner) >= 4 else (None, None)
    return Denial(
        side=side,
        protocol=_PROTOCOLS.get(number, str(number)),
        source=str(IPv4Address(packet[12:16])),
        target=str(IPv4Address(packet[16:20])),
        source_port=ports[0],
        target_port=ports[1],
        icmp=(inner[0], inner[1]) if number == _ICMP and len(inner) >= 2 else None,
    )


def _inner(packet: bytes) -> bytes:
    """What follows the header; nothing in a fragment that is not the first."""
    length = (packet[0] & 0x0F) * 4
    offset = struct.unpack_from(">H", packet, 6)[0] & 0x1FFF
    return packet[length:] if length >= _SHORTEST and not offset else b""
