"""A thread that has the host looked over when somebody has changed links, routes or rules, and now and then anyway.

The kernel tells of every change, our own too. Called by daemon.py; what is to be done is the keeper's business.
"""

import logging
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from cloudsync.agent.mishap import mishap
from cloudsync.agent.news import News

log = logging.getLogger("cloudsync.agent")

_LINKS, _ADDRESSES, _ROUTES, _RULES = 0x1, 0x10, 0x40, 0x80
_PERIOD, _SETTLE = 15.0, 0.1
"""Seconds: between two looks without a word of the kernel's, and how long it must be silent before a look."""


class Mender:
    """`mend` is told whether the period is over; it may be called until `close` has returned."""

    def __init__(self, mend: Callable[[bool], None], period: float = _PERIOD) -> None:
        self._mend, self._period = mend, period
        self._ends, self._end = socket.socketpair()
        self._news, self._routing = News(), _listen(socket.NETLINK_ROUTE, _LINKS | _ADDRESSES | _ROUTES | _RULES)
        self._thread = Thread(target=self._run, name="mender", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._end.close()
        self._thread.join()
        for one in (self._news, self._routing, self._ends):
            one.close()

    def _run(self) -> None:
        while True:
            told = self._heard(self._period)
            while told and self._ends not in told:
                told = self._heard(_SETTLE)
                if not told:
                    self._look(patient=False)
            if self._ends in told:
                return
            self._look(patient=True)

    def _heard(self, patience: float) -> list[socket.socket]:
        """Who had something to say. The words do not matter, and too many of them (ENOBUFS) are words too."""
        told, _, _ = select.select([*self._news.sockets, self._routing, self._ends], [], [], patience)
        for one in told:
            with suppress(OSError):
                while one is not self._ends and one.recv(1 << 16, socket.MSG_DONTWAIT):
                    continue
        return list(told)

    def _look(self, patient: bool) -> None:
        try:
            self._mend(patient)
        except Exception as error:
            log.error("this host could not be looked over: %s", mishap(error))


def _listen(protocol: int, groups: int) -> socket.socket:
    found = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, protocol)
    found.bind((0, groups))
    return found
