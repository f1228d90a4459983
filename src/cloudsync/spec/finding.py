"""A problem before it has a line: the trail of keys that leads to it. `Document.problem` turns it into a Problem."""

from cloudsync.model.dataclass import dataclass

Trail = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """`at_key` points at the key instead of its value. `secret` keeps the line itself from being shown. `needs`
    names the section of which it only says something true when that is known."""

    trail: Trail
    message: str
    hint: str
    at_key: bool = False
    secret: bool = False
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A problem found while the YAML itself was read; line and column count from 1."""

    line: int
    column: int
    message: str
    hint: str = ""
