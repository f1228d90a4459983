"""The door to watchdog: something stirs in a folder. files.py asks; nothing else imports watchdog."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import ObservedWatch

from cloudsync.model.problem import CloudsyncError

_Place = tuple[tuple[int, int], bool]
"""What tells that a folder is another, and whether files in it count."""

# Reading a file is none of these: what this program does itself stirs nothing.
_STIRS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileClosedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
]


_COMES: list[type[FileSystemEvent]] = [DirCreatedEvent, DirMovedEvent, DirDeletedEvent]

Stirred = Callable[[str, bool], None]
"""Told what stirs, by its path, and whether somebody has begun to write it who has not closed it yet."""


class Folders:
    """`stirred` is called from another thread, as often as something happens."""

    def __init__(self, stirred: Stirred) -> None:
        self._handler = _Handler(stirred)
        self._observer = Observer()
        self._watched: dict[Path, tuple[_Place, ObservedWatch]] = {}
        self._observer.daemon = True
        self._observer.start()

    def listen(self, folders: Mapping[Path, tuple[int, int]], above: Mapping[Path, tuple[int, int]]) -> None:
        """In these, and for folders alone in those `above`, and in no others; one that was removed and made again is
        another. CloudsyncError when the system allows no more of it."""
        wanted = {path: (which, path in folders) for path, which in {**above, **folders}.items()}
        for path, (which, watch) in list(self._watched.items()):
            if wanted.get(path) != which:
                del self._watched[path]
                self._observer.unschedule(watch)
        for path, which in wanted.items():
            if path not in self._watched:
                try:
                    heard = _STIRS if which[1] else _COMES
                    watch = self._observer.schedule(self._handler, str(path), event_filter=heard)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    raise CloudsyncError(
                        f"changes in {path} cannot be heard of: {error.strerror or error}",
                        "raise fs.inotify.max_user_watches and max_user_instances (sysctl), or use --every alone",
                    ) from None
                self._watched[path] = which, watch

    def close(self) -> None:
        self._observer.stop()
        self._observer.join()


class _Handler(FileSystemEventHandler):
    def __init__(self, stirred: Stirred) -> None:
        self._stirred = stirred

    def on_any_event(self, event: FileSystemEvent) -> None:
        path = os.fsdecode(event.src_path)
        begun = isinstance(event, FileModifiedEvent) or (isinstance(event, FileCreatedEvent) and _empty(path))
        self._stirred(path, begun)
        if event.dest_path:
            self._stirred(os.fsdecode(event.dest_path), False)


def _empty(path: str) -> bool:
    """One that was moved here from elsewhere counts as made too, and there is something in it."""
    try:
        return Path(path).stat().st_size == 0
    except OSError:
        return False
