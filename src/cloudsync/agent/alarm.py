"""Tells whoever listens when this host has become another than its document says, and when it is in step again.

The mender's thread looks, at the kernel's word and now and then; flows go out on the event loop. Without a listener
nothing is looked at.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from threading import Lock

from cloudsync.model.agent_state import Alert
from cloudsync.model.snapshot import Drift

MOST = 20
"""Of what differs, what is told; a flushed ruleset differs in thousands of things."""

_Listener = tuple[asyncio.AbstractEventLoop, "asyncio.Queue[Alert]"]


class Alarm:
    """`look` says where the host differs now; it may be called from any thread."""

    def __init__(self, look: Callable[[], Sequence[Drift]]) -> None:
        self._look = look
        self._lock = Lock()
        self._listeners: set[_Listener] = set()
        self._last: Alert | None = None

    def check(self) -> None:
        """Look, and tell what is new of it."""
        if not self._listeners:
            return
        found = _alert(self._look())
        with self._lock:
            if found == self._last:
                return
            self._last = found
            for loop, queue in self._listeners:
                with suppress(RuntimeError):  # that loop has ended
                    loop.call_soon_threadsafe(queue.put_nowait, found)

    async def follow(self) -> AsyncIterator[Alert]:
        """How it is, then each change, for ever."""
        listener: _Listener = (asyncio.get_running_loop(), asyncio.Queue())
        with self._lock:
            self._listeners.add(listener)
            self._last = None
        try:
            await asyncio.to_thread(self.check)
            while True:
                yield await listener[1].get()
        finally:
            with self._lock:
                self._listeners.discard(listener)


def _alert(found: Sequence[Drift]) -> Alert:
    return Alert(drift=tuple(found[:MOST]), more=len(found[MOST:]))
