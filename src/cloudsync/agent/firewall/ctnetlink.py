"""The messages of the kernel's connection tracking, as bytes and as Entries (pure); conntrack.py sends and receives.

A table may hold hundreds of thousands of flows: only those that touch an address of interest become Entries, and
messages of the usual shape, with ports, are taken apart at fixed places.
"""

import struct
from collections.abc import Set
from ipaddress import IPv4Address
from typing import Any

from cloudsync.agent.links.message import ERROR, HEADER, attributes, code, is_last, messages
from cloudsync.model.dataclass import dataclass

_NEW, _GET, _DELETE = 0x100, 0x101, 0x102
_REQUEST, _ACK, _DUMP = 0x1, 0x4, 0x300
_FAMILY = struct.pack("=BBH", 2, 0, 0)
_BODY = HEADER.size + len(_FAMILY)
_ORIGINAL, _REPLY = 1, 2
_NESTED = 0x8000
# Addresses, protocol and ports of a tuple, behind the headers of the attributes that hold them.
_PORTS = "12x4s4x4s8xB3x4x2s2x4x2s2x"
_BOTH = struct.Struct(f"={_PORTS}{_PORTS}")
_LENGTH = struct.calcsize(f"={_PORTS}")
_FIRST, _SECOND = (struct.pack("=HH", _LENGTH, kind | _NESTED) for kind in (_ORIGINAL, _REPLY))
_IP, _PROTOCOL = 1, 2
_SOURCE, _TARGET = 1, 2
_NUMBER, _SOURCE_PORT, _TARGET_PORT, _ICMP_ID, _ICMP_TYPE, _ICMP_CODE = 1, 2, 3, 4, 5, 6


@dataclass(frozen=True, slots=True)
class Entry:
    """One tracked flow. `reply_source` is who answers: the destination after NAT. `ports` are the first direction's.

    `key` is the first direction as the kernel wrote it: what it deletes the flow by.
    """

    protocol: int
    source: str
    target: str
    reply_source: str
    reply_target: str
    ports: tuple[int, int] | None = None
    reply_port: int | None = None
    icmp: tuple[int, int, int] | None = None
    key: bytes = b""

    @property
    def addresses(self) -> frozenset[str]:
        return frozenset((self.source, self.target, self.reply_source, self.reply_target))


def listing() -> bytes:
    """The request for all IPv4 flows."""
    return _message(_GET, _REQUEST | _DUMP, 1, b"")


def deletion(entry: Entry, number: int) -> bytes:
    """The request to end one flow; `number` comes back in the answer.

    Raise ValueError without a key: by a request that names no flow the kernel ends all of them.
    """
    if entry.key[:4] != struct.pack("=HH", len(entry.key), _ORIGINAL | _NESTED):
        raise ValueError("a flow without its key")
    return _message(_DELETE, _REQUEST | _ACK, number, entry.key)


def _message(kind: int, flags: int, number: int, body: bytes) -> bytes:
    return HEADER.pack(_BODY + len(body), kind, flags, number, 0) + _FAMILY + body


def packed(addresses: Set[str]) -> frozenset[bytes]:
    return frozenset(IPv4Address(address).packed for address in addresses)


def entries(data: bytes, of: frozenset[bytes] | None) -> tuple[list[Entry], bool]:
    """Of what was received: the flows that touch one of these addresses on either side of NAT, all for None; and
    whether that was the last. Raise Refused.
    """
    found: list[Entry] = []
    for kind, begin, end in messages(data):
        if is_last(data, kind, begin):
            return found, True
        entry = _entry(data, begin + _BODY, end, of) if kind == _NEW else None
        if entry is not None:
            found.append(entry)
    return found, False


def _entry(data: bytes, at: int, end: int, of: frozenset[bytes] | None) -> Entry | None:
    if data[at : at + 4] == _FIRST and data[at + _LENGTH : at + _LENGTH + 4] == _SECOND:
        usual = _BOTH.unpack_from(data, at)
        if of is None or usual[0] in of or usual[1] in of or usual[5] in of or usual[6] in of:
            return _with_ports(usual, data[at : at + _LENGTH])
        return None
    other = _other(data[at:end])
    if other is None or of is None or not of.isdisjoint(packed(other.addresses)):
        return other
    return None


def codes(data: bytes) -> list[int]:
    """The error of each answer in what was received, 0 for success."""
    return [code(data, begin) for kind, begin, _ in messages(data) if kind == ERROR]


def _with_ports(usual: tuple[Any, ...], key: bytes) -> Entry:
    source, target, protocol, source_port, target_port, reply_source, reply_target, _, reply_port, _ = usual
    return Entry(
        protocol,
        _text(source),
        _text(target),
        _text(reply_source),
        _text(reply_target),
        (int.from_bytes(source_port, "big"), int.from_bytes(target_port, "big")),
        int.from_bytes(reply_port, "big"),
        None,
        key,
    )


def _other(body: bytes) -> Entry | None:
    """A flow of any shape; None for one that is not IPv4."""
    parts = dict(attributes(body))
    if not {_ORIGINAL, _REPLY} <= parts.keys():
        return None
    first, reply = (_tuple(parts[kind]) for kind in (_ORIGINAL, _REPLY))
    if first is None or reply is None:
        return None
    key = struct.pack("=HH", 4 + len(parts[_ORIGINAL]), _ORIGINAL | _NESTED) + parts[_ORIGINAL]
    (source, target, protocol), (reply_source, reply_target, answering) = first, reply
    ports = _pair(protocol, _SOURCE_PORT, _TARGET_PORT)
    icmp = (_value(protocol, _ICMP_TYPE), _value(protocol, _ICMP_CODE), _value(protocol, _ICMP_ID))
    return Entry(
        protocol=protocol[_NUMBER][0],
        source=_text(source),
        target=_text(target),
        reply_source=_text(reply_source),
        reply_target=_text(reply_target),
        ports=ports,
        reply_port=_value(answering, _SOURCE_PORT) if ports else None,
        icmp=icmp if _ICMP_TYPE in protocol else None,
        key=key,
    )


def _tuple(body: bytes) -> tuple[bytes, bytes, dict[int, bytes]] | None:
    parts = dict(attributes(body))
    ip, protocol = dict(attributes(parts.get(_IP, b""))), dict(attributes(parts.get(_PROTOCOL, b"")))
    if len(ip.get(_SOURCE, b"")) != 4 or len(ip.get(_TARGET, b"")) != 4 or not protocol.get(_NUMBER):
        return None
    return ip[_SOURCE], ip[_TARGET], protocol


def _pair(parts: dict[int, bytes], one: int, other: int) -> tuple[int, int] | None:
    return (_value(parts, one), _value(parts, other)) if one in parts and other in parts else None


def _value(parts: dict[int, bytes], kind: int) -> int:
    return int.from_bytes(parts.get(kind, b""), "big")


def _text(address: bytes) -> str:
    return f"{address[0]}.{address[1]}.{address[2]}.{address[3]}"
