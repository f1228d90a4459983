"""The kernel's word that somebody changed its rules of nftables.

It is a message for each rule and element, which the kernel writes while it commits, if anybody anywhere listens: of
40,000 elements nft took a third longer. The mender listens; the firewall has it go without for a long script of ours.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from weakref import WeakSet

_NETFILTER, _NFTABLES = 12, 7
_NETLINK, _JOIN, _LEAVE = 270, 1, 2


class News:
    """`sockets` have something to read when there may have been a change. What they say does not matter."""

    def __init__(self) -> None:
        self._kernel = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, _NETFILTER
        )
        self._kernel.bind((0, 0))
        self._missed, self._miss = socket.socketpair()
        self.sockets = (self._kernel, self._missed)
        self._join()
        _listening.add(self)

    def close(self) -> None:
        _listening.discard(self)
        for one in (*self.sockets, self._miss):
            one.close()

    def _join(self) -> None:
        self._kernel.setsockopt(_NETLINK, _JOIN, _NFTABLES)

    def pause(self) -> None:
        self._kernel.setsockopt(_NETLINK, _LEAVE, _NFTABLES)

    def resume(self) -> None:
        """There may have been anything meanwhile."""
        self._join()
        self._miss.send(b"?")


_listening: WeakSet[News] = WeakSet()


@contextmanager
def unheard() -> Iterator[None]:
    """Nobody in this process listens during the block; all are told to look after it."""
    paused = tuple(_listening)
    for one in paused:
        with suppress(OSError):
            one.pause()
    try:
        yield
    finally:
        for one in paused:
            with suppress(OSError):
                one.resume()
