"""Netlink's framing (pure): messages in what was received, and attributes in a message."""

import struct
from collections.abc import Iterator
from errno import EPROTO

HEADER = struct.Struct("=IHHII")
ERROR = 2
_DONE = 3
_ATTRIBUTE = struct.Struct("=HH")


class Refused(OSError):
    """The kernel answered with this error."""


def messages(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(kind, begin, end) of each, header included."""
    at = 0
    while at + HEADER.size <= len(data):
        length, kind, _, _, _ = HEADER.unpack_from(data, at)
        if length < HEADER.size:
            raise Refused(EPROTO, "the kernel's answer cannot be understood")
        yield kind, at, at + length
        at += (length + 3) & ~3


def code(data: bytes, begin: int) -> int:
    """Of a message that is an error or the last of a list; 0 when all is well."""
    (found,) = struct.unpack_from("=i", data, begin + HEADER.size)
    return -int(found)


def is_last(data: bytes, kind: int, begin: int) -> bool:
    """Whether the message ends a list. Raise Refused where it says that there is none."""
    if kind not in (ERROR, _DONE):
        return False
    if failure := code(data, begin):
        raise Refused(failure, "the kernel refused")
    return True


def attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    """(kind, content) of each."""
    at = 0
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind & 0x3FFF, body[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
