"""`10m` to seconds and back. Pure; the field type of every duration in the spec uses it."""

import re

from cloudsync.spec.words import quote

UNITS = {"s": 1, "m": 60, "h": 3600}
PATTERN = r"^[1-9][0-9]{0,4}(s|m|h)$"
LONGEST = 24 * 3600
_HINT = "write a whole number and s, m or h, such as 10m"


class DurationError(ValueError):
    """Not a duration; `hint` is how to write it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def parse(value: str | int) -> int:
    """Seconds. DurationError unless `value` is a number and s, m or h, and at most a day."""
    if isinstance(value, int):
        if not 0 < value <= LONGEST:
            raise DurationError(f"{value} is not a duration", _HINT)
        minutes = f" or {value}m" if value * UNITS["m"] <= LONGEST else ""
        raise DurationError(f"{value} has no unit", f"write {value}s{minutes}")
    if not re.fullmatch(PATTERN, value):
        raise DurationError(f"{quote(value)} is not a duration", _HINT)
    seconds = int(value[:-1]) * UNITS[value[-1]]
    if seconds > LONGEST:
        raise DurationError(f"{quote(value)} is more than a day", "write at most 24h")
    return seconds


def show(seconds: float) -> str:
    """The shortest exact spelling: `10m`, `90s`."""
    for unit, factor in reversed(UNITS.items()):
        if seconds >= factor and seconds % factor == 0:
            return f"{seconds // factor:g}{unit}"
    return f"{seconds:g}s"
