"""Colours for a terminal, or none."""

from cloudsync.model.dataclass import dataclass

CODES = {"red": 31, "green": 32, "yellow": 33, "magenta": 35}


@dataclass(frozen=True, slots=True)
class Paint:
    on: bool

    def of(self, colour: str, text: str) -> str:
        """`text` in `colour` (red, green, yellow, magenta)."""
        return f"\x1b[{CODES[colour]}m{text}\x1b[0m" if self.on else text

    def red(self, text: str) -> str:
        return self.of("red", text)

    def green(self, text: str) -> str:
        return self.of("green", text)
