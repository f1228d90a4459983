"""Talk goes to stderr: problems, errors, and the words around a plan."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from typing import TextIO

from cloudsync.model.problem import CloudsyncError, Problem
from cloudsync.spec.words import printable


def colour(stream: object = None) -> bool:
    """Whether to colour what goes to `stream` (stdout by default): only on a terminal, and NO_COLOR is honoured."""
    target = stream or sys.stdout
    return bool(getattr(target, "isatty", lambda: False)()) and not os.environ.get("NO_COLOR")


def fit_for(stream: object) -> None:
    """Whatever the locale is: what a file or a program gets is UTF-8, as its formats say, and on a terminal `?` stands
    for a character that it does not have."""
    if isinstance(stream, TextIOWrapper):
        if stream.isatty():
            stream.reconfigure(errors="replace")
        else:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def say(text: str) -> None:
    """A line of talk, or several; nothing in it acts on a terminal, whoever wrote it."""
    _talk("\n".join(printable(line) for line in text.split("\n")))


def out(text: str) -> None:
    """Data, on stdout."""
    with _stdout() as stream:
        stream.write(text if text.endswith("\n") else text + "\n")


def out_raw(data: bytes) -> None:
    """Bytes, on stdout."""
    with _stdout() as stream:
        binary = getattr(stream, "buffer", None)
        if binary is None:
            stream.write(data.decode("utf-8", "replace"))
        else:
            binary.write(data)


def mute(stream: TextIO) -> None:
    """It cannot be written to: let the interpreter not try again with what is left when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextlib.contextmanager
def _stdout() -> Iterator[TextIO]:
    """Flushed at the end. CloudsyncError when it is closed or full; BrokenPipeError when its reader is gone."""
    if sys.stdout is None:
        raise CloudsyncError("standard output is closed", "leave it open, or send it to /dev/null")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        mute(sys.stdout)
        reason = (error.strerror or "it cannot be written to").lower()
        raise CloudsyncError(f"standard output: {reason}", "send it to another place") from None


def complain(problems: Sequence[Problem]) -> None:
    """Show all problems."""
    from cloudsync.render.problems import text

    _talk(text(problems, colour(sys.stderr)).rstrip("\n"))


def fail(error: CloudsyncError) -> None:
    """Show one failure and its way out; only the first line of each stands at the margin."""
    say(f"error: {_hanging(error.message)}" + (f"\nhint: {_hanging(error.hint)}" if error.hint else ""))


def _hanging(text: str) -> str:
    return "\n".join(line if not index else f"  {line.lstrip()}" for index, line in enumerate(text.split("\n")))


def _talk(text: str) -> None:
    """Where nobody can be told, nothing is said."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except OSError:
        mute(sys.stderr)
