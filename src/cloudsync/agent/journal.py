"""The applies of this host on its disk: lines are added and never changed, each flushed before anybody is told.

`journal.jsonl` is what is written to; when it is long it becomes `journal.old.jsonl`, and what was that is gone. app.py
has lines added and read, state.py asks for the latest. 0600, in a folder of 0700.
"""

import logging
import os
from collections import deque
from errno import ENOSPC
from pathlib import Path
from threading import Lock

from cloudsync.agent.places import sync_folder
from cloudsync.model.journal import Entry, Line, entries, line
from cloudsync.model.problem import HostError

log = logging.getLogger("cloudsync.agent")

_LONG = 1 << 20
_TAIL = 1 << 17
"""Bytes: when to begin a new file, and how far back the last applies are looked for."""


class Journal:
    """Calls may come from several threads."""

    def __init__(self, folder: Path, long: int = _LONG) -> None:
        """Of the last `long` bytes nothing is lost."""
        self._path = folder / "journal.jsonl"
        self._older = folder / "journal.old.jsonl"
        self._long = long
        self._lock = Lock()

    def add(self, record: Line, generation: int) -> None:
        """HostError when the disk does not take it; what was there before is there then."""
        with self._lock:
            try:
                self._turn_over()
                self._append(line(record, generation))
            except OSError as error:
                log.error("%s cannot be written: %s", self._path, error.strerror)
                raise HostError(
                    f"the journal cannot be written in {self._path.parent}: {error.strerror}",
                    f"make room or mend the file system: df -h {self._path.parent}",
                ) from error

    def entries(self) -> tuple[Entry, ...]:
        """All that is remembered. HostError when it cannot be read."""
        with self._lock:
            return self._read(2 * self._long)

    def recent(self) -> tuple[Entry, ...]:
        """The last applies: none where those are long ago, or cannot be read."""
        try:
            with self._lock:
                return self._read(_TAIL)
        except HostError as error:
            log.error("%s", error.message)
            return ()

    def _turn_over(self) -> None:
        try:
            if self._path.stat().st_size < self._long:
                return
        except FileNotFoundError:
            return
        self._path.replace(self._older)
        sync_folder(self._path.parent)

    def _append(self, text: bytes) -> None:
        """A line that a power cut tore off ends where the next one begins."""
        new = not self._path.exists()
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(self._path, flags, 0o600), "r+b", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            if end:
                file.seek(end - 1)
                text = text if file.read(1) == b"\n" else b"\n" + text
            if os.write(file.fileno(), text) != len(text):
                os.truncate(file.fileno(), end)
                raise OSError(ENOSPC, os.strerror(ENOSPC))
            os.fsync(file.fileno())
        if new:
            sync_folder(self._path.parent)

    def _read(self, most: int) -> tuple[Entry, ...]:
        """From the last `most` bytes."""
        parts: deque[bytes] = deque()
        for path in (self._path, self._older):
            text = _end_of(path, most)
            most -= len(text)
            parts.appendleft(text)
        return entries(row for text in parts for row in text.split(b"\n"))


def _end_of(path: Path, most: int) -> bytes:
    """Whole lines only: the first one of a part is half a line."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most))
            text = file.read(max(0, most))
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise HostError(f"the journal {path} cannot be read: {error.strerror}", "see the agent's log") from error
    return text if size <= most else text.partition(b"\n")[2]
