"""What guests said about their boot, kept across restarts of the agent, and told to whoever waits for it.

The metadata part calls `record` from its own thread; app.py follows on the event loop.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock

from cloudsync.model import wire
from cloudsync.model.snapshot import Boot

_Listener = tuple[asyncio.AbstractEventLoop, "asyncio.Queue[Boot]"]


class Boots:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._listeners: set[_Listener] = set()
        self._boots: dict[str, Boot] = _load(path)

    def all(self) -> Mapping[str, Boot]:
        """By instance uuid."""
        with self._lock:
            return dict(self._boots)

    def record(self, boot: Boot) -> None:
        """From any thread."""
        with self._lock:
            if self._boots.get(boot.uuid) == boot:
                return
            self._boots[boot.uuid] = boot
            self._save()
            for loop, queue in self._listeners:
                with suppress(RuntimeError):  # that loop has ended
                    loop.call_soon_threadsafe(queue.put_nowait, boot)

    def keep(self, uuids: Iterable[str]) -> None:
        """Forget every other machine."""
        with self._lock:
            wanted = frozenset(uuids)
            kept = {uuid: boot for uuid, boot in self._boots.items() if uuid in wanted}
            if kept != self._boots:
                self._boots = kept
                self._save()

    async def follow(self, uuids: frozenset[str]) -> AsyncIterator[Boot]:
        """What is known of these machines, then each change, for ever."""
        queue: asyncio.Queue[Boot] = asyncio.Queue()
        listener = (asyncio.get_running_loop(), queue)
        with self._lock:
            known = [boot for uuid, boot in sorted(self._boots.items()) if uuid in uuids]
            self._listeners.add(listener)
        try:
            for boot in known:
                yield boot
            while True:
                boot = await queue.get()
                if boot.uuid in uuids:
                    yield boot
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def _save(self) -> None:
        """Losing it to a power cut costs a line in `status`, so it is not flushed; a full disk must not stop a boot."""
        new = self._path.with_suffix(".new")
        with suppress(OSError):
            new.touch(0o600)
            new.write_bytes(wire.dump(dict[str, Boot], self._boots))
            new.replace(self._path)


def _load(path: Path) -> dict[str, Boot]:
    try:
        return wire.load(dict[str, Boot], path.read_bytes())
    except (OSError, ValueError):
        return {}
