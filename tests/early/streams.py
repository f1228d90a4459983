"""Packets that are sent all the time, and ears that miss none: what passes a host, and when it stopped passing.

A stream is datagrams to one port. Ears take every IPv4 packet that comes to a namespace, also before its guest is
plugged in, and count datagrams by their port.
"""

import select
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from tests.lab.namespace import Namespace
from tests.lab.standins import PATIENCE

_ETH_P_IP, _OUTGOING, _UDP = 0x0800, 4, 17


@dataclass
class Stream:
    """`sent` datagrams to `port` so far."""

    port: int
    sent: int = 0


@dataclass
class Ears:
    """`emptied` is how often nothing was left to be counted; None while nobody listens."""

    heard: Counter[int] = field(default_factory=Counter)
    changed: threading.Condition = field(default_factory=threading.Condition)
    emptied: int | None = None

    def caught_up(self) -> None:
        """Returns when all that has come by now is counted."""
        with self.changed:
            if self.emptied is not None:
                goal = self.emptied + 2
                assert self.changed.wait_for(lambda: (self.emptied or 0) >= goal, PATIENCE), "there is always more"

    def more(self, port: int, count: int = 20) -> None:
        """Returns when that many more have come to that port."""
        with self.changed:
            goal = self.heard[port] + count
            assert self.changed.wait_for(lambda: self.heard[port] >= goal, PATIENCE), f"port {port}: nothing comes"


class Streams:
    """All of one test's; they end with it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._stop = threading.Event()
        self._all: list[Stream] = []
        self._sent = threading.Condition()
        stack.callback(self._stop.set)

    def send(self, source: Namespace, target: str, *ports: int) -> None:
        """From now on to the end."""
        for port in ports:
            stream = Stream(port)
            self._all.append(stream)
            self._run(source, lambda stream=stream: self._send(stream, target))  # type: ignore[misc]

    def listen(self, namespace: Namespace, own: str = "") -> Ears:
        """To everything that comes to it, less its `own` packets that a router sends back."""
        ears = Ears(emptied=0)
        raw = namespace.socket(socket.SOCK_DGRAM, socket.AF_PACKET, socket.htons(_ETH_P_IP))
        raw.setblocking(False)
        self._stack.callback(raw.close)
        self._run(namespace, lambda: self._hear(raw, ears, own))
        return ears

    def rounds(self, count: int = 100) -> None:
        """Returns when each stream has sent that many more."""
        with self._sent:
            goals = [(stream, stream.sent + count) for stream in self._all]
            assert self._sent.wait_for(lambda: all(stream.sent >= goal for stream, goal in goals), PATIENCE)

    def _run(self, namespace: Namespace, act: Callable[[], None]) -> None:
        thread = threading.Thread(target=namespace.enter, args=(act,))
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(self._stop.set)

    def _send(self, stream: Stream, target: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not self._stop.wait(0.001):
                with suppress(OSError):
                    sender.sendto(b"x", (target, stream.port))
                with self._sent:
                    stream.sent += 1
                    self._sent.notify_all()

    def _hear(self, raw: socket.socket, ears: Ears, own: str) -> None:
        while not self._stop.is_set():
            try:
                data, (_, _, direction, *_) = raw.recvfrom(100)
            except BlockingIOError:
                with ears.changed:
                    ears.emptied = (ears.emptied or 0) + 1
                    ears.changed.notify_all()
                select.select([raw], [], [], 0.05)
                continue
            if direction != _OUTGOING and data[9] == _UDP and socket.inet_ntoa(data[12:16]) != own:
                at = (data[0] & 15) * 4
                with ears.changed:
                    ears.heard[struct.unpack_from("!H", data, at + 2)[0]] += 1
                    ears.changed.notify_all()


@contextmanager
def streams() -> Iterator[Streams]:
    with ExitStack() as stack:
        yield Streams(stack)
