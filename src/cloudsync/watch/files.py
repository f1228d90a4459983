"""The spec file and all that it refers to, as a Source: told when one of them is another and has come to rest.

A file that somebody is writing is as it was before, until it is closed, or still for long (`writing`).
"""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from threading import Condition, Event, Thread
from time import monotonic, time_ns

from cloudsync.model.cloud import Cloud
from cloudsync.model.document import Applied
from cloudsync.model.problem import CloudsyncError
from cloudsync.watch.debounce import Debounce
from cloudsync.watch.folders import Folders
from cloudsync.watch.prints import Prints, above, folders, names, prints
from cloudsync.watch.trigger import Reason, Tell, Trigger
from cloudsync.watch.writing import Writing

_CLOCKS = 20_000_000
"""Nanoseconds that a file's time may be behind the clock: the kernel counts in ticks."""

_HALF = 2.0
"""Seconds that a round which begins for something else waits for who is writing the spec."""


class Files:
    """A Source. Files that the spec begins to name are watched from then on, also those that are not there yet.
    `patience` is how many seconds a round waits for who is writing the spec."""

    def __init__(self, spec: Path, writing: Writing | None = None, patience: float = _HALF) -> None:
        self._spec = spec
        self._named: frozenset[Path] = frozenset({spec})
        self._writing, self._patience = writing or Writing(), patience
        self._lock = Condition()
        self._stirred, self._over = Event(), Event()
        self._debounce: Debounce[Prints] = Debounce(prints(self._named))
        self._folders: Folders | None = None
        self._thread: Thread | None = None

    def begin(self, tell: Tell) -> None:
        self._folders = Folders(self.stir)
        self._listen(self._folders)
        self._thread = Thread(target=self._watch, args=(self._folders, tell), name="files", daemon=True)
        self._thread.start()

    def stir(self, path: str, begun: bool) -> None:
        """Something happens to what is there. `begun`: it is being written, and not closed yet."""
        with self._lock:
            if begun:
                self._writing.changed(path, monotonic())
            else:
                self._writing.closed(path)
            self._lock.notify_all()
        self._stirred.set()

    def load(self, _: Collection[Trigger] = (), /) -> Cloud:
        from cloudsync.spec.load import load

        with self._lock:
            self._lock.wait_for(lambda: self._over.is_set() or not self._written(self._spec), self._patience)
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
        with self._lock:
            self._lock.notify_all()
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
            if not self._awaited():
                continue
            with suppress(CloudsyncError):
                self._listen(place)
            changed = self._looked()
            if changed:
                tell(Trigger(Reason.SAVE, ", ".join(changed)))

    def _awaited(self) -> bool:
        """Wait until something stirs, or for the time when there is something to do; whether that is to look."""
        with self._lock:
            dues = [due for due in (self._debounce.due(), self._writing.due()) if due is not None]
        stirred = self._stirred.wait(max(0.0, min(dues) - monotonic()) if dues else None)
        self._stirred.clear()
        with self._lock:
            now = monotonic()
            if self._writing.rest(now):
                stirred = True
                self._lock.notify_all()
        if stirred:
            self._debounce.stir(now)
        due = self._debounce.due()
        return due is not None and due <= now

    def _looked(self) -> list[str]:
        """The names of the files to tell of."""
        with self._lock:
            before, now = self._debounce.known, prints(self._named)
            now = {path: before[path] if one and self._written(path) else one for path, one in now.items()}
            told = self._debounce.look(now, monotonic())
        return sorted(path.name for path in now if now[path] != before.get(path)) if told else []

    def _written(self, path: Path) -> bool:
        """Whether somebody is writing it."""
        return self._writing.any(names(path))
