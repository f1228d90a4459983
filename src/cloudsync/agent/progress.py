"""Bytes that go by into short texts for a person: one per percent, not one per packet. Pure."""

from collections.abc import Callable

_STEP = 16 << 20


def size_text(size: int) -> str:
    """`520 MiB`, `1.5 GiB`, `12 bytes`."""
    value, unit = float(size), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    number = f"{value:.1f}".removesuffix(".0") if value < 10 else f"{value:.0f}"
    return f"{number} {unit}"


class Meter:
    """Says `12% of 520 MiB` when the percentage changes; `48 MiB` each 16 MiB where the total is not known."""

    def __init__(self, total: int | None, done: int, say: Callable[[str], None]) -> None:
        self.total = total
        self._done = done
        self._say = say
        self._said = self._mark()

    def add(self, count: int) -> None:
        self._done += count
        mark = self._mark()
        if mark != self._said:
            self._said = mark
            self._say(f"{mark}% of {size_text(self.total)}" if self.total else size_text(self._done))

    def _mark(self) -> int:
        return min(100, self._done * 100 // self.total) if self.total else self._done // _STEP
