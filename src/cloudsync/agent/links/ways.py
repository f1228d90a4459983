"""Routes to instances of other hosts in the kernel's table main, by raw netlink: a cloud may have tens of thousands.

All bear our protocol number and have a next hop. Each is put before whatever else leads to the same address: somebody
else's route is neither replaced nor taken away.
"""

import errno
import os
import socket
import struct
from collections.abc import Collection, Iterable, Iterator, Sequence

from cloudsync.agent.links import listing
from cloudsync.agent.links.guard import PROTOCOL
from cloudsync.agent.links.message import ERROR, HEADER, code, messages
from cloudsync.agent.links.netlink import MAIN
from cloudsync.agent.links.remote import DEVICE, Way
from cloudsync.model.problem import HostError

_NEW, _DELETE = 24, 25
_REQUEST, _ACKNOWLEDGE, _CREATE = 0x1, 0x4, 0x400
_ROUTE, _ATTRIBUTE = struct.Struct("=BBBBBBBBI"), struct.Struct("=HH4s")
_DESTINATION, _INTERFACE, _GATEWAY, _PRIORITY, _SOURCE = 1, 4, 5, 6, 7
_UNICAST, _ONLINK = 1, 4
_AT_ONCE = 200
_BUFFER = 1 << 18


def present() -> frozenset[Way]:
    """Those of ours."""
    tunnel = index()
    asked = (MAIN, PROTOCOL, _UNICAST)
    found = set()
    for (_, length, _, _, table, protocol, _, kind, _), held in listing.routes(*asked):
        if (table, protocol, kind) == asked and length == 32 and _GATEWAY in held:
            device = DEVICE if tunnel and listing.number(held.get(_INTERFACE)) == tunnel else ""
            ends = listing.address(held.get(_DESTINATION)), listing.address(held[_GATEWAY])
            found.add(Way(*ends, device, listing.number(held.get(_PRIORITY))))
    return frozenset(found)


def index() -> int:
    """Of the tunnel's device; 0 when there is none."""
    try:
        return socket.if_nametoindex(DEVICE)
    except OSError:
        return 0


def add(ways: Collection[Way], source: str = "") -> None:
    """Raise HostError when the kernel refuses one. `source` is what the host itself says it is on such a way."""
    for way, failure in _changed(_NEW, _REQUEST | _ACKNOWLEDGE | _CREATE, sorted(ways), source):
        if failure in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EINVAL, errno.ENETDOWN):
            raise HostError(
                f"{way.via}, behind which {way.destination} is, cannot be reached without a router from here",
                "is that host's address right, and this host's network up? Behind routers:  fabric: vxlan",
            )
        if failure not in (0, errno.EEXIST):
            raise HostError(f"the kernel refused `ip route prepend {way}`: {os.strerror(failure)}", "run it as root")


def delete(ways: Collection[Way]) -> None:
    """One that is gone already is no error."""
    for way, failure in _changed(_DELETE, _REQUEST | _ACKNOWLEDGE, sorted(ways), ""):
        if failure not in (0, errno.ESRCH):
            raise HostError(f"the kernel refused `ip route del {way}`: {os.strerror(failure)}", "run it as root")


def _changed(kind: int, flags: int, ways: Sequence[Way], source: str) -> Iterator[tuple[Way, int]]:
    """Each with the kernel's errno."""
    if not ways:
        return
    tunnel = index()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(listing.PATIENCE)
        for begin in range(0, len(ways), _AT_ONCE):
            some = ways[begin : begin + _AT_ONCE]
            bodies = (_body(way, tunnel, source) for way in some)
            kernel.send(
                b"".join(
                    HEADER.pack(HEADER.size + len(body), kind, flags, number, 0) + body
                    for number, body in enumerate(bodies)
                )
            )
            yield from zip(some, _answers(kernel, len(some)), strict=True)


def _body(way: Way, tunnel: int, source: str) -> bytes:
    numbers = (socket.AF_INET, 32, 0, 0, MAIN, PROTOCOL, 0, _UNICAST, _ONLINK if way.device else 0)
    held = [(_DESTINATION, socket.inet_aton(way.destination)), (_GATEWAY, socket.inet_aton(way.via))]
    if way.device:
        held.append((_INTERFACE, struct.pack("=I", tunnel)))
    if way.metric:
        held.append((_PRIORITY, struct.pack("=I", way.metric)))
    if source:
        held.append((_SOURCE, socket.inet_aton(source)))
    return _ROUTE.pack(*numbers) + _attributes(held)


def _attributes(held: Iterable[tuple[int, bytes]]) -> bytes:
    return b"".join(_ATTRIBUTE.pack(_ATTRIBUTE.size, kind, content) for kind, content in held)


def _answers(kernel: socket.socket, count: int) -> Iterator[int]:
    """In the order of what was sent."""
    while count > 0:
        data = kernel.recv(_BUFFER)
        for kind, begin, _ in messages(data):
            if kind == ERROR:
                count -= 1
                yield code(data, begin)
