"""Talk goes to stderr: problems, errors, and the words around a plan."""

import os
import sys
from collections.abc import Sequence

from cloudsync.model.problem import CloudsyncError, Problem


def colour(stream: object = None) -> bool:
    """Whether to colour what goes to `stream` (stdout by default): only on a terminal, and NO_COLOR is honoured."""
    target = stream or sys.stdout
    return bool(getattr(target, "isatty", lambda: False)()) and not os.environ.get("NO_COLOR")


def say(text: str) -> None:
    """One line of talk."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def out(text: str) -> None:
    """Data, on stdout."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def complain(problems: Sequence[Problem]) -> None:
    """Show all problems."""
    from cloudsync.render.problems import text

    say(text(problems, colour(sys.stderr)).rstrip("\n"))


def fail(error: CloudsyncError) -> None:
    """Show one failure and its way out."""
    say(f"error: {error.message}" + (f"\nhint: {error.hint}" if error.hint else ""))
