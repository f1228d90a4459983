"""Tells what became of the followed commit, once for each that becomes known: to a file, and to a program on its stdin.

An observer of the watch. Delivering has a thread of its own: a slow program does not keep the watch from its work.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from threading import Event as Flag
from threading import Thread

from cloudsync.watch.commit_status import CommitStatus, State, begun, document, ended
from cloudsync.watch.happening import Ended, Happening, Planned, RoundEnded
from cloudsync.watch.hook import HookError, run

_LEAVE = 5.0
"""Seconds that the last words may take to be delivered when the watch ends."""

_END = 2.0
"""Seconds for what is left then: to end the program, to write the file, and to say what is not delivered."""


class Herald:
    """`commit` says which commit of `branch` the watch is at, empty before there is one. `complain` is told, from
    another thread, what could not be delivered. `patience` is for the program at the end, in seconds."""

    def __init__(
        self,
        branch: str,
        commit: Callable[[], str],
        file: Path | None,
        hook: Sequence[str],
        complain: Callable[[str], None],
        patience: float = _LEAVE,
    ) -> None:
        self._branch, self._commit, self._file, self._hook, self._complain = branch, commit, file, hook, complain
        self._patience, self._over = patience, Flag()
        self._last: CommitStatus | None = None
        self._queue: SimpleQueue[CommitStatus | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="status", daemon=True)
        self._thread.start()

    def __call__(self, happening: Happening) -> None:
        commit = self._commit()
        if isinstance(happening, Ended):
            self._queue.put(None)
            self._thread.join(self._patience)
            self._over.set()
            self._thread.join(_END)
        elif isinstance(happening, Planned) and commit and (self._last is None or self._last.commit != commit):
            self._tell(begun(self._branch, commit))
        elif isinstance(happening, RoundEnded) and commit and happening.commit in ("", commit):
            self._tell(ended(self._branch, commit, happening))

    def _tell(self, status: CommitStatus) -> None:
        """A look that finds all as it was is no news: what was made is of one round alone."""
        if self._last is None or _news(status) != _news(self._last):
            self._last = status
            self._queue.put(status)

    def _run(self) -> None:
        while (status := self._queue.get()) is not None:
            at = datetime.now(UTC).isoformat(timespec="seconds")
            text = json.dumps(document(status, at), indent=2).encode() + b"\n"
            for deliver in (self._write, self._call):
                try:
                    deliver(text)
                except (HookError, OSError) as error:
                    self._complain(f"the status of commit {status.commit[:12]} is not delivered: {_reason(error)}")

    def _write(self, text: bytes) -> None:
        """Whole or not at all: whoever reads it may come at any moment."""
        if self._file is None:
            return
        fresh = self._file.with_name(f".{self._file.name}.new")
        try:
            fresh.write_bytes(text)
            fresh.replace(self._file)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink()
            # A full disk says nothing of the file.
            raise OSError(error.errno, error.strerror, str(self._file)) from None

    def _call(self, text: bytes) -> None:
        if self._hook:
            run(self._hook, text, over=self._over)


def _news(status: CommitStatus) -> tuple[object, ...]:
    """Of what was applied the words count changes, which a later look has none of."""
    applied = bool(status.state is State.SUCCESS or status.held or status.unplaced or status.silent)
    left = (status.held, status.unplaced, status.silent, status.problems)
    return status.commit, status.state, left, applied or status.summary


def _reason(error: HookError | OSError) -> str:
    if isinstance(error, HookError):
        return str(error)
    return f"{error.filename}: {(error.strerror or 'it cannot be written').lower()}"
