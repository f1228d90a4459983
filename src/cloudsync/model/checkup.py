"""What was looked at on the way to a host and on it, with the fix of what is wrong: what `doctor` shows."""

from enum import StrEnum

from cloudsync.model.dataclass import dataclass


class Verdict(StrEnum):
    """A warning does no harm now; a problem does."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at. `fix` are command lines for root on that host, in order; `hint` is what else to do."""

    name: str
    verdict: Verdict
    message: str
    fix: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an agent found. `cloud` owns the host, empty when none does; `at` is its clock (ISO 8601, UTC)."""

    version: str
    at: str
    cloud: str = ""
    checks: tuple[Check, ...] = ()
