"""`512MiB` to bytes and back. Pure; the field type of every size in the spec uses it."""

import re
from fractions import Fraction

from cloudsync.spec.words import quote

UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "PiB": 1 << 50}
PATTERN = r"^[0-9]{1,15}(\.[0-9]{1,6})? ?(KiB|MiB|GiB|TiB|PiB)$"
LARGEST = (1 << 63) - 1

_WRITTEN = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([A-Za-z]*)")
_NEAR = {"k": "KiB", "m": "MiB", "g": "GiB", "t": "TiB", "p": "PiB"}


class SizeError(ValueError):
    """Not a size; `hint` is how to write it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def parse(text: str) -> int:
    """Bytes. SizeError unless `text` is a number and KiB, MiB, GiB, TiB or PiB, and comes to whole bytes."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise SizeError(f"{quote(text)} is not a size", "write a number and a unit, such as 512MiB")
    number, unit = match.groups()
    if unit not in UNITS:
        raise SizeError(*_unknown_unit(text, number, unit))
    size = Fraction(number) * UNITS[unit]
    if size.denominator != 1:
        raise SizeError(f"{quote(text)} is not a whole number of bytes", "use a smaller unit")
    if size > LARGEST:
        raise SizeError(f"{quote(text)} is more than any machine has", "use a smaller number, or a smaller unit")
    return int(size)


def bare(number: int) -> SizeError:
    """What is wrong with a number without a unit. What comes to whole MiB may have been meant as bytes."""
    if number >= UNITS["MiB"] and number % UNITS["MiB"] == 0:
        return SizeError(f"{number} has no unit", f"write {show(number)}, if these are bytes")
    if 0 < number < UNITS["MiB"]:
        return SizeError(f"{number} has no unit", f"write {number}MiB or {number}GiB")
    return SizeError(f"{number} is not a size", "write a number and a unit, such as 512MiB")


def _unknown_unit(text: str, number: str, unit: str) -> tuple[str, str]:
    if not unit:
        return f"{quote(text)} has no unit", f"write {number}MiB or {number}GiB"
    near = _NEAR.get(unit[0].lower())
    if near is None or unit.lower() not in (near[0].lower(), near[:1].lower() + "b", near.lower()):
        return f"{quote(unit)} is not a unit", "the units are KiB, MiB, GiB and TiB"
    return f"{quote(unit)} is not a unit that means one thing only", f"write {number}{near} (of 1024)"


def show(size: int) -> str:
    """The shortest exact spelling: `4GiB`, `1536MiB`."""
    for unit, factor in reversed(UNITS.items()):
        if size >= factor and size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size} bytes" if size else "0"
