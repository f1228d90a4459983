"""Every exit code there is; README shows the same table and a test compares the two."""

from enum import IntEnum


class Exit(IntEnum):
    def __new__(cls, code: int, meaning: str) -> "Exit":
        member = int.__new__(cls, code)
        member._value_ = code
        member.__doc__ = meaning
        return member

    DONE = 0, "done; `reach`: yes, for every pair that was asked about"
    FAILED = (
        1,
        "failed: bad spec, broken expectation, refused, something cannot be placed, an action failed, "
        "no host reachable",
    )
    CHANGES = 2, "with `--detailed-exitcode`: there are changes or drift"
    STALE = 3, "the saved plan is stale: a host or the spec changed since"
    LOCKED = 4, "another apply holds the lock"
    NO = 5, "`reach`: no, for one pair at least"
    USAGE = 64, "wrong usage"
    INTERRUPTED = 130, "interrupted: running steps finished, the rest skipped"
