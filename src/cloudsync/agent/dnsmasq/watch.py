"""A thread that notices when dnsmasq has ended, and has another one started until it runs. Called by part.py."""

import logging
import os
import select
import time
from collections.abc import Callable
from threading import Lock, Thread

from cloudsync.agent.mishap import mishap

log = logging.getLogger("cloudsync.agent")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 30.0
"""Seconds between an end and the next start; doubled while it does not live for longer than the longest."""
_GONE = 0


class Watch:
    """`revive` is called from the thread; it raises CloudsyncError, or tells by `follow` which process runs now."""

    def __init__(self, revive: Callable[[], None]) -> None:
        self._revive = revive
        self._pid: int | None = None
        self._closing = False
        self._lock = Lock()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread: Thread | None = None

    def follow(self, pid: int | None) -> None:
        """Watch this process instead; none when nothing is to run. Needs not be a child."""
        with self._lock:
            if pid == self._pid:
                return
            self._pid = pid
            if self._thread is None:
                self._thread = Thread(target=self._run, name="dnsmasq", daemon=True)
                self._thread.start()
            os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """The process goes on unwatched. Not to be called while `revive` may wait for the caller."""
        with self._lock:
            thread, self._thread, self._closing = self._thread, None, True
            os.eventfd_write(self._wake, 1)
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closing:
            began = time.monotonic()
            if not self._ended(self._pid):
                continue
            lived_long = time.monotonic() - began > _LONGEST_PAUSE
            pause = _FIRST_PAUSE if lived_long else min(pause * 2, _LONGEST_PAUSE)
            if not self._told(None, pause):
                self._try()

    def _ended(self, pid: int | None) -> bool:
        """Wait until it has, or until there is another one to watch: False then."""
        if pid is None:
            return not self._told(None)
        try:
            descriptor = os.pidfd_open(pid) if pid != _GONE else None
        except ProcessLookupError:
            descriptor = None
        if descriptor is None:
            return True
        try:
            return not self._told(descriptor)
        finally:
            os.close(descriptor)

    def _told(self, descriptor: int | None, seconds: float | None = None) -> bool:
        """Wait for `follow` or `close`, at most `seconds` and until `descriptor` is ready; whether one came."""
        poll = select.poll()
        for each in (self._wake, descriptor):
            if each is not None:
                poll.register(each, select.POLLIN)
        ready = [number for number, _ in poll.poll(None if seconds is None else seconds * 1000)]
        if self._wake not in ready:
            return False
        os.eventfd_read(self._wake)
        return True

    def _try(self) -> None:
        before = self._pid
        try:
            self._revive()
        except Exception as error:
            log.error("dnsmasq cannot be started again: %s", mishap(error))
        else:
            return
        with self._lock:
            if self._pid == before:
                self._pid = _GONE
