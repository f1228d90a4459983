"""A quiet live screen: what happened above, one line below that says how things stand and which keys there are.

A door to Rich. The CLI hands `seen` to the watch on a terminal.
"""

from collections.abc import Callable
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cloudsync.model.plan import Held
from cloudsync.watch.happening import Beat, Happening, Planned, RoundEnded
from cloudsync.watch.words import Words


class Screen:
    """`clock` gives the time of day as text."""

    def __init__(self, words: Words, subject: str, keys: bool, clock: Callable[[], str]) -> None:
        self._words, self._subject, self._keys, self._clock = words, subject, keys, clock
        self._live = Live(Text(), console=Console(highlight=False), auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def seen(self, happening: Happening) -> None:
        """An Observer."""
        if isinstance(happening, Beat):
            return
        self._words, said = self._words.after(happening)
        if said:
            at = self._clock()
            self._live.console.print(Text.from_ansi(f"{at} {said}"), soft_wrap=True)
        if said or isinstance(happening, RoundEnded | Planned):
            self._live.update(Text.from_ansi(self._line()), refresh=True)

    def _line(self) -> str:
        return f"{self._subject}: {self._words.now}" + (keys(self._words.held) if self._keys else "")


def keys(held: tuple[Held, ...]) -> str:
    """Those that mean something now."""
    found = ["q ends"]
    if any(one.change.destroys_data for one in held):
        found.insert(0, "D applies all of it and DESTROYS DATA")
    if any(not one.change.destroys_data for one in held):
        found.insert(0, "a applies what waits" + (" and keeps data" * (len(found) > 1)))
    return f"   [{'  '.join(found)}]"
