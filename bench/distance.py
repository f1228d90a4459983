"""Hosts of a lab as far away as other machines are: every packet between them and the controller is held up.

observe.py puts them there. As a program it carries frames: `python -m bench.distance ONE OTHER SECONDS`, where ONE and
OTHER are descriptors of two taps.
"""

import os
import select
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl

from tests.lab.lab import Hosts
from tests.lab.namespace import ip
from tests.lab.underlay import BRIDGE

_TUNSETIFF, _TAP, _NO_INFORMATION = 0x400454CA, 0x0002, 0x1000
_FRAME = 1 << 16
_READY = b"ready\n"


@contextmanager
def apart(it: Hosts, seconds: float) -> Iterator[None]:
    """From here on there is a wire of that delay in each direction between the controller and a flat lab, and after
    the block none: this kernel may have no netem."""
    seat, link = it.underlay.controller, it.underlay.link
    seat.unplug()
    here, there = _tap(link), it.underlay.wire.enter(lambda: _tap(seat.name))
    try:
        ip("link", "set", link, "address", seat.mac)
        it.underlay.wire.ip("link", "set", seat.name, "master", BRIDGE, "up")
        seat.connect(ip, link)
        for host in it.underlay.hosts:
            ip("route", "add", f"{host.address}/32", "dev", link, "src", seat.address)
        command = [sys.executable, "-m", "bench.distance", str(here), str(there), str(seconds)]
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


def carry(one: int, other: int, seconds: float) -> None:
    across = {one: other, other: one}
    waiting: dict[int, deque[tuple[float, bytes]]] = {one: deque(), other: deque()}
    while True:
        due = min((frames[0][0] for frames in waiting.values() if frames), default=None)
        heard, _, _ = select.select([one, other], [], [], None if due is None else max(0.0, due - time.monotonic()))
        now = time.monotonic()
        for source in heard:
            waiting[across[source]] += [(now + seconds, frame) for frame in _frames(source)]
        for target, frames in waiting.items():
            while frames and frames[0][0] <= now:
                os.write(target, frames.popleft()[1])


def _frames(source: int) -> Iterator[bytes]:
    try:
        while True:
            yield os.read(source, _FRAME)
    except BlockingIOError:
        return


if __name__ == "__main__":
    os.write(1, _READY)
    carry(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
