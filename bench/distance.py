"""Hosts of a lab as far away as other machines are: every packet between them and the controller is held up.

observe.py puts them there. As a program it carries frames: `python -m bench.distance ONE OTHER SECONDS [ADDRESS]`,
where ONE and OTHER are descriptors of two taps.
"""

import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from heapq import heappop, heappush
from itertools import count

from tests.lab.lab import Hosts
from tests.lab.namespace import ip
from tests.lab.underlay import BRIDGE

_TUNSETIFF, _TAP, _NO_INFORMATION = 0x400454CA, 0x0002, 0x1000
_FRAME = 1 << 16
_READY = b"ready\n"
_ADDRESSES = (slice(26, 30), slice(30, 34))
"""Where a frame has those of IPv4 without a VLAN tag."""


@contextmanager
def apart(it: Hosts, seconds: float, only: str = "") -> Iterator[None]:
    """From here on there is a wire of that delay in each direction between the controller and a flat lab, or the host
    that has the address `only`, and after the block none: this kernel may have no netem."""
    seat, link = it.underlay.controller, it.underlay.link
    seat.unplug()
    here, there = _tap(link), it.underlay.wire.enter(lambda: _tap(seat.name))
    try:
        ip("link", "set", link, "address", seat.mac)
        it.underlay.wire.ip("link", "set", seat.name, "master", BRIDGE, "up")
        seat.connect(ip, link)
        for host in it.underlay.hosts:
            ip("route", "add", f"{host.address}/32", "dev", link, "src", seat.address)
        command = [
            sys.executable,
            "-m",
            "bench.distance",
            str(here),
            str(there),
            str(seconds),
            *([only] if only else []),
        ]
        with subprocess.Popen(command, pass_fds=[here, there], stdout=subprocess.PIPE) as carrier:
            try:
                assert carrier.stdout and carrier.stdout.readline() == _READY
                yield
            finally:
                carrier.kill()
    finally:
        os.close(here)
        os.close(there)


def _tap(name: str) -> int:
    """A new one, which goes when it is closed."""
    found = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    ioctl(found, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TAP | _NO_INFORMATION))
    return found


def carry(one: int, other: int, seconds: float, only: bytes = b"") -> None:
    across, order = {one: other, other: one}, count()
    waiting: dict[int, list[tuple[float, int, bytes]]] = {one: [], other: []}
    while True:
        due = min((frames[0][0] for frames in waiting.values() if frames), default=None)
        heard, _, _ = select.select([one, other], [], [], None if due is None else max(0.0, due - time.monotonic()))
        now = time.monotonic()
        for source in heard:
            for frame in _frames(source):
                far = not only or any(frame[at] == only for at in _ADDRESSES)
                heappush(waiting[across[source]], (now + seconds * far, next(order), frame))
        for target, frames in waiting.items():
            while frames and frames[0][0] <= now:
                os.write(target, heappop(frames)[2])


def _frames(source: int) -> Iterator[bytes]:
    try:
        while True:
            yield os.read(source, _FRAME)
    except BlockingIOError:
        return


if __name__ == "__main__":
    os.write(1, _READY)
    carry(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), *map(socket.inet_aton, sys.argv[4:]))
