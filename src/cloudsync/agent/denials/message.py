"""A datagram of NFLOG into the packets it tells of, and the requests that start the telling (pure).

Nothing in a datagram is trusted: lengths that do not fit end the reading of it.
"""

import struct
from collections.abc import Iterator

_ULOG = 4
_PACKET, _CONFIG = _ULOG << 8, _ULOG << 8 | 1
_ERROR = 2
_REQUEST_ACK = 5
_HEADER = struct.Struct("=IHHII")
_GENERIC = 4
_ATTRIBUTE = struct.Struct("=HH")
_PAYLOAD, _PREFIX = 9, 10
_KIND = 0x3FFF
_CFG_COMMAND, _CFG_MODE, _CFG_TIMEOUT, _CFG_THRESHOLD = 1, 2, 4, 5
_BIND, _COPY_PACKET = 1, 2
_COPIED = 64
"""Bytes of each packet: the longest IPv4 header (60) and both ports."""
_TIMEOUT, _THRESHOLD = 20, 20
"""The kernel waits for this many hundredths of a second or packets, so that a burst costs one wake-up."""


def packets(datagram: bytes) -> Iterator[tuple[str, bytes]]:
    """(log prefix, first bytes of the packet) for each packet of the datagram."""
    for kind, body in _messages(datagram):
        if kind != _PACKET:
            continue
        found = dict(_attributes(body[_GENERIC:]))
        if _PREFIX in found and _PAYLOAD in found:
            prefix = found[_PREFIX].split(b"\0", 1)[0]
            yield prefix.decode("ascii", "replace"), found[_PAYLOAD]


def refusal(datagram: bytes) -> int | None:
    """The errno by which the kernel answers a request, 0 when it was accepted; None when that is no answer."""
    for kind, body in _messages(datagram):
        if kind == _ERROR and len(body) >= 4:
            return -int(struct.unpack_from("=i", body)[0])
    return None


def requests(group: int) -> tuple[bytes, ...]:
    """Bind to `group`, then what is to be copied and how long the kernel may wait; each is answered."""
    return (
        _request(group, _attribute(_CFG_COMMAND, struct.pack("=B", _BIND))),
        _request(
            group,
            _attribute(_CFG_MODE, struct.pack(">IBB", _COPIED, _COPY_PACKET, 0))
            + _attribute(_CFG_TIMEOUT, struct.pack(">I", _TIMEOUT))
            + _attribute(_CFG_THRESHOLD, struct.pack(">I", _THRESHOLD)),
        ),
    )


def _messages(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(datagram):
        length, kind, _, _, _ = _HEADER.unpack_from(datagram, at)
        if not _HEADER.size <= length <= len(datagram) - at:
            return
        yield kind, datagram[at + _HEADER.size : at + length]
        at += _aligned(length)


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if not _ATTRIBUTE.size <= length <= len(body) - at:
            return
        yield kind & _KIND, body[at + _ATTRIBUTE.size : at + length]
        at += _aligned(length)


def _request(group: int, attributes: bytes) -> bytes:
    generic = struct.pack(">BBH", 0, 0, group)
    length = _HEADER.size + len(generic) + len(attributes)
    return _HEADER.pack(length, _CONFIG, _REQUEST_ACK, 0, 0) + generic + attributes


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value.ljust(_aligned(len(value)), b"\0")


def _aligned(length: int) -> int:
    return length + 3 & ~3
