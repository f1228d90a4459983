"""The process that an earlier agent left answering guests: found, inherited from, ended when its successor is ready.

It gives up its listening socket, so that no guest is refused in between, and what guests reported while there was no
agent. It may have been taken over by a guest: what it gives is checked, and who it is the kernel says.
"""

import json
import logging
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from cloudsync.agent.metadata import control
from cloudsync.agent.metadata.lines import LONGEST, lines
from cloudsync.agent.mishap import mishap

log = logging.getLogger("cloudsync.metadata")

_PATIENCE = 5.0
"""Seconds for it to hand over."""
_END_SECONDS = 15.0
"""It lets guests finish what they have begun; see worker.py."""
_MOST_KEPT = 100_000
_SO_NETNS_COOKIE = 71


def find(folder: Path) -> "Predecessor | None":
    """None when there is none, or none of any use any more: such a one is killed."""
    try:
        channel = control.connect(folder, _PATIENCE)
    except OSError as error:
        log.error("the metadata process of an earlier agent cannot be reached: %s", error.strerror)
        return None
    if channel is None:
        return None
    try:
        pid, _, _ = struct.unpack("3i", channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        process = os.pidfd_open(pid)
    except OSError:
        channel.close()
        return None
    try:
        return Predecessor(channel, process)
    except (OSError, ValueError, LookupError, TypeError, StopIteration) as error:
        log.error("the metadata process of an earlier agent is of no use: %s", mishap(error))
        _kill(process)
        channel.close()
        os.close(process)
        return None


def end(folder: Path) -> None:
    """Leave no process behind."""
    found = find(folder)
    if found is not None:
        found.end(at_once=True)


class Predecessor:
    """`listener` is the socket that guests are sent to; `kept` are reports of the time without an agent."""

    def __init__(self, channel: socket.socket, process: int) -> None:
        """`process` is a pidfd. Raise what reading and parsing raise unless all of it is handed over in time."""
        self._channel, self._process = channel, process
        self._thread: Thread | None = None
        # The kernel does not join what carries descriptors with what comes after it.
        first, descriptors, _, _ = socket.recv_fds(channel, LONGEST, 1, socket.MSG_CMSG_CLOEXEC)
        self.listener = _checked(descriptors)
        self._lines = lines(channel)
        try:
            self.kept = self._read(int(json.loads(first)["kept"]))
        except BaseException:
            self.listener.close()
            raise
        channel.settimeout(None)

    def _read(self, count: int) -> list[Mapping[str, Any]]:
        deadline = time.monotonic() + _PATIENCE
        found: list[Mapping[str, Any]] = []
        while len(found) < count:
            if len(found) > _MOST_KEPT or time.monotonic() > deadline:
                raise ValueError("it does not come to an end")
            found.append(next(self._lines))
        return found

    def listen(self, tell: Callable[[Mapping[str, Any]], None]) -> None:
        """From now on `tell` is called, from a thread, with each report."""

        def run() -> None:
            for message in self._lines:
                tell(message)

        self._thread = Thread(target=run, name="metadata-predecessor", daemon=True)
        self._thread.start()

    def end(self, at_once: bool = False) -> None:
        """Guests go to the successor; it finishes what they have begun, for as long as that may take."""
        with suppress(OSError):
            self._channel.sendall(b'{"end": true}\n')
        if at_once:
            self._bury()
        else:
            Thread(target=self._bury, name="metadata-burial", daemon=True).start()

    def leave(self) -> None:
        """There is no successor yet: it goes on. What it has said so far comes still."""
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def _bury(self) -> None:
        if not _ended(self._process, _END_SECONDS):
            log.error("the metadata process of an earlier agent did not end, and is killed")
            _kill(self._process)
        if self._thread is not None:
            self._thread.join(_PATIENCE)
        os.close(self._process)
        self._channel.close()


def _checked(descriptors: list[int]) -> socket.socket:
    """Raise ValueError unless it is one socket that listens for TCP in this network."""
    given = [socket.socket(fileno=number) for number in descriptors]
    if len(given) == 1 and _listens_here(given[0]):
        return given[0]
    for each in given:
        each.close()
    raise ValueError("no listening socket of this network")


def _listens_here(given: socket.socket) -> bool:
    if (given.family, given.type) != (socket.AF_INET, socket.SOCK_STREAM):
        return False
    return bool(given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)) and _network(given) == _own_network()


def _own_network() -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as own:
        return _network(own)


def _network(given: socket.socket) -> bytes:
    return given.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8)


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, signal.SIGKILL)
    _ended(process, _PATIENCE)


def _ended(process: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(process, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
