"""Talk goes to stderr: problems, errors, and the words around a plan."""

import os
import sys
from collections.abc import Sequence

from cloudsync.model.problem import CloudsyncError, Problem
from cloudsync.spec.words import printable


def colour(stream: object = None) -> bool:
    """Whether to colour what goes to `stream` (stdout by default): only on a terminal, and NO_COLOR is honoured."""
    target = stream or sys.stdout
    return bool(getattr(target, "isatty", lambda: False)()) and not os.environ.get("NO_COLOR")


def say(text: str) -> None:
    """A line of talk, or several; nothing in it acts on a terminal, whoever wrote it."""
    _talk("\n".join(printable(line) for line in text.split("\n")))


def out(text: str) -> None:
    """Data, on stdout."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


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
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
