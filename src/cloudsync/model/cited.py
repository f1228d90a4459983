"""Which rule decides, and where it stands: part of every answer of `reach` and of broken expectations."""

from cloudsync.model.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """The rule that decides: `address` is its group's, `file` and `line` are where it stands, None when nowhere.

    `packets` is what the kernel has counted for it, None when the kernel was not asked.
    """

    address: str
    file: str | None = None
    line: int | None = None
    packets: int | None = None
