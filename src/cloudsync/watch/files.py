"""The spec file and all that it refers to, as a Source: told when one of them is another and has come to rest."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic, time_ns

from cloudsync.model.cloud import Cloud
from cloudsync.model.document import Applied
from cloudsync.model.problem import CloudsyncError
from cloudsync.watch.debounce import Debounce
from cloudsync.watch.folders import Folders
from cloudsync.watch.prints import Prints, above, folders, prints
from cloudsync.watch.trigger import Reason, Tell, Trigger

_CLOCKS = 20_000_000
"""Nanoseconds that a file's time may be behind the clock: the kernel counts in ticks."""


class Files:
    """A Source. Files that the spec begins to name are watched from then on, also those that are not there yet."""

    def __init__(self, spec: Path) -> None:
        self._spec = spec
        self._named: frozenset[Path] = frozenset({spec})
        self._lock = Lock()
        self._stirred, self._over = Event(), Event()
        self._debounce: Debounce[Prints] = Debounce(prints(self._named))
        self._folders: Folders | None = None
        self._thread: Thread | None = None

    def begin(self, tell: Tell) -> None:
        self._folders = Folders(self._stirred.set)
        self._listen(self._folders)
        self._thread = Thread(target=self._watch, args=(self._folders, tell), name="files", daemon=True)
        self._thread.start()

    def load(self, _: Collection[Trigger] = (), /) -> Cloud:
        from cloudsync.spec.load import load

        named: set[Path] = set()
        began = time_ns()
        try:
            return load(self._spec, named)
        finally:
            # A spec that cannot be read names nothing: what it named before may be what mends it.
            self._name(frozenset({self._spec, *named}) if named else self._named, began)

    def seen(self, cloud: Cloud, deployed: Applied | None) -> None:
        """An older spec that changes nothing does no harm."""

    def confirm(self, cloud: Cloud, deployed: Applied | None) -> None:
        from cloudsync.spec.lineage import lineage

        found = lineage(cloud, deployed)
        if found and found.refused:
            raise CloudsyncError(found.message, found.hint)

    def end(self) -> None:
        self._over.set()
        self._stirred.set()
        if self._thread:
            self._thread.join()
        if self._folders:
            self._folders.close()

    def _listen(self, place: Folders) -> None:
        there = folders(self._named)
        place.listen(there, above(there))

    def _name(self, named: frozenset[Path], began: int) -> None:
        """One that was written while it was read may have been read half: then it counts as another."""
        if named == self._named:
            return
        with self._lock:
            fresh = prints(named - self._named)
            known = {path: one for path, one in self._debounce.known.items() if path in named}
            known |= {
                path: one if one is None or one[2] < began - _CLOCKS else (0, 0, 0) for path, one in fresh.items()
            }
            self._named, self._debounce.known = named, known
        self._stirred.set()

    def _watch(self, place: Folders, tell: Tell) -> None:
        while not self._over.is_set():
            due = self._debounce.due()
            if self._stirred.wait(None if due is None else max(0.0, due - monotonic())):
                self._stirred.clear()
                self._debounce.stir(monotonic())
            due = self._debounce.due()
            if due is None or due > monotonic():
                continue
            with suppress(CloudsyncError):
                self._listen(place)
            with self._lock:
                before, now = self._debounce.known, prints(self._named)
                told = self._debounce.look(now, monotonic())
            if told:
                changed = sorted(path.name for path in now if now[path] != before.get(path))
                tell(Trigger(Reason.SAVE, ", ".join(changed)))
