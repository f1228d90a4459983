"""What guests said about their boot, kept across restarts of the agent, and told to whoever waits for it.

Host keys are kept in a file of their own, down to the disk: a guest tells them once, and nobody gets in without them.
So is whether it takes in what it is given while it runs, which it says once too.
Losing the rest to a power cut costs a line in `status`, so it is not waited for.
The metadata part calls `record` from its own thread; app.py follows on the event loop.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from cloudsync.agent.metadata.fold import anew
from cloudsync.agent.places import replace_file
from cloudsync.model import wire
from cloudsync.model.snapshot import Boot

_Listener = tuple[asyncio.AbstractEventLoop, "asyncio.Queue[Boot]"]


class Boots:
    def __init__(self, path: Path, life: str = "") -> None:
        """`life` is the kernel's own name of the time since it was started, empty when it is not known."""
        self._path = path
        _forget_earlier_lives(path, life)
        self._lock = Lock()
        self._listeners: set[_Listener] = set()
        self._boots: dict[str, Boot] = load(path)

    def all(self) -> Mapping[str, Boot]:
        """By instance uuid."""
        with self._lock:
            return dict(self._boots)

    def record(self, boot: Boot) -> None:
        """From any thread."""
        with self._lock:
            known = self._boots.get(boot.uuid, Boot(uuid=boot.uuid))
            if known == boot:
                return
            self._boots[boot.uuid] = boot
            self._save(keys=_keys(known) != _keys(boot))
            for loop, queue in self._listeners:
                with suppress(RuntimeError):  # that loop has ended
                    loop.call_soon_threadsafe(queue.put_nowait, boot)

    def learn(self, boot: Boot) -> None:
        """From where the machine lived before; what it told here counts more, but one that was started here has not
        told its keys again."""
        known = self.all().get(boot.uuid)
        if known is None:
            self.record(boot)
        elif not known.host_keys:
            kept = replace(known, host_keys=boot.host_keys, other_keys=boot.other_keys)
            self.record(replace(kept, grows=known.grows or boot.grows))

    def keep(self, uuids: Iterable[str]) -> None:
        """Forget every other machine."""
        with self._lock:
            wanted = frozenset(uuids)
            kept = {uuid: boot for uuid, boot in self._boots.items() if uuid in wanted}
            if kept != self._boots:
                self._boots = kept
                self._save(keys=True)

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

    def _save(self, keys: bool) -> None:
        """A full disk must not stop a boot."""
        with suppress(OSError):
            if keys:
                known = {uuid: _keys(boot) for uuid, boot in self._boots.items() if boot.host_keys or boot.grows}
                replace_file(_keys_path(self._path), wire.dump(known), durable=True)
            replace_file(self._path, wire.dump(self._boots), durable=False)


def _forget_earlier_lives(path: Path, life: str) -> None:
    """No guest has run on when the host was started anew."""
    noted = path.with_name("life")
    with suppress(OSError):
        if life and (not noted.exists() or noted.read_text() != life):
            known = {uuid: anew(boot, now()) for uuid, boot in load(path).items()}
            replace_file(path, wire.dump(known), durable=False)
            replace_file(noted, life.encode(), durable=False)


def kernels_life() -> str:
    """What the kernel calls the time since it was started."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def now() -> str:
    """ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def load(path: Path) -> dict[str, Boot]:
    """What was saved at `path` and beside it, by uuid."""
    found = _read(path)
    for uuid, keys in _read(_keys_path(path)).items():
        boot = found.get(uuid, Boot(uuid=uuid))
        found[uuid] = replace(boot, host_keys=keys.host_keys, other_keys=keys.other_keys, grows=keys.grows)
    return found


def _keys_path(path: Path) -> Path:
    return path.with_name("host-keys.json")


def _keys(boot: Boot) -> Boot:
    return Boot(uuid=boot.uuid, host_keys=boot.host_keys, other_keys=boot.other_keys, grows=boot.grows)


def _read(path: Path) -> dict[str, Boot]:
    try:
        return wire.load(dict[str, Boot], path.read_bytes())
    except (OSError, ValueError):
        return {}
