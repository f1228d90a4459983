"""What taps bear in the kernel now, read without a dump of everything: a host may have hundreds. Reads only."""

import fcntl
import socket
import struct
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address
from pathlib import Path

from cloudsync.agent.links.tap import Lack, Tap
from cloudsync.agent.words import TAP

_ADDRESS, _PEER, _FLAGS = 0x8915, 0x8917, 0x8913
_UP = 1
_HOST_MASK = 0xFFFFFFFF
_NET = Path("/proc/net")


def lack(taps: Iterable[Tap], bears: Callable[[Tap], bool]) -> Lack:
    """What is missing of taps that are there and whose guest has spoken.

    libvirt brings a tap up as it makes it, seconds before it gives it the address, just before the machine's CPU starts
    to run, and gives the machine up when the address is there already: a silent tap may be such a one. One that is down
    and has its address, or whose guest has spoken, has been up. A link that libvirt has down is so in QEMU alone: its
    tap is up. `bears` is asked about a tap that has another address first.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as asker:
        up = {tap: is_up for tap in taps if (is_up := _is_up(asker, tap.name)) is not None}
        bare = {tap for tap in up if _first(asker, tap.name) != (tap.gateway, tap.address) and not bears(tap)}
    spoke = _spoke() if bare else frozenset()
    made = {tap for tap in up if tap not in bare or tap.name in spoke}
    there = host_routes()
    routed = (tap for tap, is_up in up.items() if is_up and tap not in bare)
    return Lack(
        tuple(tap for tap, is_up in up.items() if is_up and tap in bare & made),
        tuple(tap for tap in routed if (tap.name, IPv4Address(tap.address)) not in there),
        tuple(tap for tap, is_up in up.items() if not is_up and tap in made),
    )


def present() -> tuple[str, ...]:
    """The taps that are there, whether or not a document knows them."""
    return tuple(sorted(name for _, name in socket.if_nameindex() if TAP.fullmatch(name)))


def _is_up(asker: socket.socket, name: str) -> bool | None:
    """None when it is not there."""
    answer = _asked(asker, _FLAGS, name)
    return bool(struct.unpack_from("H", answer, 16)[0] & _UP) if answer else None


def _first(asker: socket.socket, name: str) -> tuple[str, str] | None:
    """Its first address and that one's peer."""
    answers = [_asked(asker, request, name) for request in (_ADDRESS, _PEER)]
    own, peer = (socket.inet_ntoa(answer[20:24]) if answer else "" for answer in answers)
    return (own, peer) if own else None


def _asked(asker: socket.socket, request: int, name: str) -> bytes | None:
    """None when there is no such thing."""
    try:
        return fcntl.ioctl(asker, request, struct.pack("16s24x", name.encode()))
    except OSError:
        return None


def _spoke() -> frozenset[str]:
    """Interfaces that have received a packet: of a tap, the guest has sent it."""
    rows = (line.partition(":") for line in (_NET / "dev").read_text().splitlines()[2:])
    return frozenset(name.strip() for name, _, counts in rows if int(counts.split()[1]) > 0)


def host_routes() -> frozenset[tuple[str, IPv4Address]]:
    """(interface, address) of each route to one address."""
    rows = (line.split() for line in (_NET / "route").read_text().splitlines()[1:])
    return frozenset(
        (row[0], IPv4Address(socket.ntohl(int(row[1], 16)))) for row in rows if int(row[7], 16) == _HOST_MASK
    )
