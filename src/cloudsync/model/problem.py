"""Something wrong, where it is, and the way out. Problems are values; they are collected, not raised one by one."""

from collections.abc import Sequence
from enum import StrEnum

from cloudsync.model.dataclass import dataclass


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """`source` is the line of text at `place`, or a part of it from column `start`; never what may be a secret."""

    message: str
    place: Place | None = None
    hint: str = ""
    source: str = ""
    severity: Severity = Severity.ERROR
    start: int = 1


class CloudsyncError(Exception):
    """A failure a person can act on; the CLI prints it without a traceback and exits with `exit_code`."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SpecError(CloudsyncError):
    """The spec has problems; all of them are in `problems`."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problem(s) in the spec")
        self.problems = tuple(problems)


class HostError(CloudsyncError):
    """One host could not be asked, or refused."""


class TransientError(HostError):
    """It may be gone by itself in a moment: worth another try."""


class StaleError(CloudsyncError):
    """A host is no longer as the plan saw it."""

    exit_code = 3


class LockedError(CloudsyncError):
    """Another apply holds the lock."""

    exit_code = 4
