"""A thread that tries something again, with pauses that grow, until it has worked. Called by keeper.py."""

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread

from cloudsync.agent.mishap import mishap

log = logging.getLogger("cloudsync.agent")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds."""


class Retry:
    """`act` says whether it has worked."""

    def __init__(self, act: Callable[[], bool], first_pause: float = FIRST_PAUSE) -> None:
        self._act, self._first = act, first_pause
        self._closing = Event()
        self._lock = Lock()
        self._thread: Thread | None = None
        self._asked = False

    def begin(self) -> None:
        """Unless it is at it. Returns at once."""
        with self._lock:
            self._asked = True
            if self._thread is None and not self._closing.is_set():
                self._thread = Thread(target=self._run, name="retry", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Give up. Not to be called while `act` may wait for the caller."""
        self._closing.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        pause = self._first
        while not self._closing.wait(pause):
            self._asked = False
            worked = self._works()
            with self._lock:
                if worked and not self._asked:
                    self._thread = None
                    return
            pause = min(pause * 2, LONGEST_PAUSE)

    def _works(self) -> bool:
        try:
            return self._act()
        except Exception as error:
            log.error("trying again failed: %s", mishap(error))
            return False
