"""libvirt's event loop in a thread of its own: for whoever waits for an event, and for every connection that lasts.

libvirtd asks every 5 seconds whether the other end lives, and ends a connection whose loop leaves six questions without
an answer: to read a plan before saying yes takes longer.
"""

import threading
from collections.abc import Callable

_SHORT = 3.0
"""Seconds after which a connection is no short one. Most commands are over by then, and need no loop."""


class Loop:
    def __init__(self, step: Callable[[], object]) -> None:
        """`step` waits for the next event and deals with it."""
        self._step = step
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._thread: threading.Thread | None = None

    def soon(self) -> None:
        """A connection was opened."""
        with self._lock:
            if self._timer is None:
                self._timer = threading.Timer(_SHORT, self.need)
                self._timer.daemon = True
                self._timer.start()

    def need(self) -> None:
        """From now on."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="libvirt-events", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._step()
