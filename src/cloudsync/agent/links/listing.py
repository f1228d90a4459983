"""What the kernel's routing holds, listed by raw netlink: reads only; netlink.py and tables.py make sense of it.

Every apply asks, and pyroute2 takes milliseconds to open a socket and to take a message apart.
"""

import socket
import struct
import sys
from collections.abc import Iterator
from fcntl import ioctl

from cloudsync.agent.links.message import HEADER, attributes, is_last, messages

_GET_RULES, _GET_ROUTES, _GET_NEIGHBOURS, _GET_ADDRESSES = 34, 26, 30, 22
_DUMP = 0x301
_BUFFER = 1 << 18
PATIENCE = 10
_NETLINK, _STRICT = 270, 12
_ROUTE, _NEIGHBOUR = struct.Struct("=BBBBBBBBI"), struct.Struct("=BBHiHBB")
_ADDRESS = struct.Struct("=BBBBI")
_IPV4, _BRIDGE = 2, 7
_SIOCGIFMTU = 0x8921
_IFREQ = struct.Struct("=16si20x")

Listed = tuple[tuple[int, ...], dict[int, bytes]]
"""The numbers that a message begins with, and its attributes."""


def rules() -> Iterator[Listed]:
    """IPv4 rules of routing: family, lengths of destination and source, TOS, table, two that are 0, action, flags."""
    return _listed(_GET_RULES, _ROUTE, _IPV4, 0, 0, 0, 0, 0, 0, 0, 0)


def routes(table: int, protocol: int, kind: int) -> Iterator[Listed]:
    """IPv4 routes: family, lengths of destination and source, TOS, table, protocol, scope, kind, flags.

    A kernel before 4.20 lists more than was asked for.
    """
    return _listed(_GET_ROUTES, _ROUTE, _IPV4, 0, 0, 0, table, protocol, 0, kind, 0)


def neighbours(flags: int) -> Iterator[Listed]:
    """IPv4 neighbours: family, twice 0, interface, state, flags, kind."""
    return _listed(_GET_NEIGHBOURS, _NEIGHBOUR, _IPV4, 0, 0, 0, 0, flags, 0)


def addresses() -> Iterator[Listed]:
    """IPv4 addresses: family, length of the prefix, flags, scope, interface."""
    return _listed(_GET_ADDRESSES, _ADDRESS, _IPV4, 0, 0, 0, 0)


def forwarding(index: int) -> Iterator[Listed]:
    """Where a tunnel's device sends what is for which MAC, in the same form."""
    return _listed(_GET_NEIGHBOURS, _NEIGHBOUR, _BRIDGE, 0, 0, index, 0, 0, 0)


def device(index: int) -> tuple[str, int] | None:
    """A device's name, and the bytes that fit into one packet on it; None where it has gone meanwhile."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as asker:
        try:
            name = socket.if_indextoname(index)
            _, size = _IFREQ.unpack(ioctl(asker, _SIOCGIFMTU, _IFREQ.pack(name.encode(), 0)))
        except OSError:
            return None
    return name, size


def number(attribute: bytes | None) -> int:
    return int.from_bytes(attribute or b"", sys.byteorder)


def address(attribute: bytes | None) -> str:
    return socket.inet_ntoa(attribute or bytes(4))


def _listed(kind: int, form: struct.Struct, *asked: int) -> Iterator[Listed]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as asker:
        asker.settimeout(PATIENCE)
        asker.setsockopt(_NETLINK, _STRICT, 1)
        asker.send(HEADER.pack(HEADER.size + form.size, kind, _DUMP, 1, 0) + form.pack(*asked))
        while True:
            data = asker.recv(_BUFFER)
            for found, begin, end in messages(data):
                if is_last(data, found, begin):
                    return
                at = begin + HEADER.size
                yield form.unpack_from(data, at), dict(attributes(data[at + form.size : end]))
