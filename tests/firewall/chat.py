"""Two ends that talk to each other without pause, answered or not, and when either last heard the other."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from tests.lab.standins import PATIENCE, Peer

ICMP = "icmp"
_PACE = 0.002


class Chat:
    """`heard` is the time of the last arrival at each end, by time.monotonic."""

    def __init__(self, ends: tuple["End", ...]) -> None:
        self._ends = ends
        self.heard = [0.0 for _ in ends]
        self._rounds = 0
        self._stop, self._moved = threading.Event(), threading.Condition()
        self._thread = threading.Thread(target=self._talk)

    def _talk(self) -> None:
        while not self._stop.wait(_PACE):
            for end in self._ends:
                end.say()
            with self._moved:
                for number, end in enumerate(self._ends):
                    if end.hears():
                        self.heard[number] = time.monotonic()
                self._rounds += 1
                self._moved.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        with self._moved:
            assert self._moved.wait_for(condition, PATIENCE), "the talk did not come to that"

    def alive(self) -> None:
        """Return when each end has heard something from now on."""
        began = time.monotonic()
        self.until(lambda: min(self.heard) > began)

    def ends_by(self, deadline: float) -> None:
        """Both go on talking after `deadline`, for many rounds, and what they hear then came before it."""
        self.until(lambda: time.monotonic() > deadline)
        self._go_on(2)
        drained = time.monotonic()
        self._go_on(50)
        assert max(self.heard) < drained, f"it was still heard {max(self.heard) - deadline:.3f} s after the deadline"

    def _go_on(self, rounds: int) -> None:
        goal = self._rounds + rounds
        self.until(lambda: self._rounds >= goal)

    def __enter__(self) -> "Chat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


class End:
    """One end of TCP or UDP."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        connected.setblocking(False)

    def say(self) -> None:
        """What the network says of it (unreachable, a full buffer) does not stop it."""
        with suppress(OSError):
            self._socket.send(b"talk")

    def hears(self) -> bool:
        """Takes all that is there."""
        found = False
        with suppress(OSError):
            while data := self._socket.recv(1 << 16):
                found = found or self.is_said(data)
        return found

    def is_said(self, _data: bytes) -> bool:
        return True


class Pinger(End):
    """Asks for echoes; the other end is the kernel there, so it is heard when its answers are."""

    def __init__(self, raw: socket.socket, address: str) -> None:
        super().__init__(raw)
        self._address = address

    def say(self) -> None:
        with suppress(OSError):
            self._socket.sendto(struct.pack("!BBHHH", 8, 0, 0xF7FF - 7 - 7, 7, 7), (self._address, 0))

    def is_said(self, data: bytes) -> bool:
        return data[20:28] == struct.pack("!BBHHH", 0, 0, 0xFFFF - 7 - 7, 7, 7)


@contextmanager
def chatting(origin: Peer, target: Peer, kind: str, port: int = 80) -> Iterator[Chat]:
    """A connection that `origin` begins, in full flow."""
    with _OPENED[kind](origin, target, port) as ends, Chat(ends) as chat:
        chat.alive()
        yield chat


@contextmanager
def _tcp(origin: Peer, target: Peer, port: int) -> Iterator[tuple[End, End]]:
    with target.listen(port) as server, origin.connect(target.address, port) as client:
        accepted, _ = server.accept()
        with accepted:
            yield End(client), End(accepted)


@contextmanager
def _udp(origin: Peer, target: Peer, port: int) -> Iterator[tuple[End, End]]:
    with (
        origin.namespace.socket(socket.SOCK_DGRAM) as client,
        target.listen(port, socket.SOCK_DGRAM, target.address) as server,
    ):
        server.settimeout(PATIENCE)
        client.connect((target.address, port))
        client.send(b"hello")
        server.connect(server.recvfrom(100)[1])
        yield End(client), End(server)


@contextmanager
def _icmp(origin: Peer, target: Peer, _port: int) -> Iterator[tuple[End]]:
    with origin.namespace.socket(socket.SOCK_RAW, protocol=socket.IPPROTO_ICMP) as raw:
        yield (Pinger(raw, target.address),)


_OPENED: dict[str, Callable[[Peer, Peer, int], AbstractContextManager[tuple[End, ...]]]] = {
    "tcp": _tcp,
    "udp": _udp,
    ICMP: _icmp,
}
