"""Hosts from the best score to the worst, kept so while scores change; ties by name."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

Key = tuple[float, str]


class Order:
    def __init__(self, scores: Iterable[tuple[float, str]]) -> None:
        self._keys: list[Key] = sorted((-score, name) for score, name in scores)

    def __iter__(self) -> Iterator[Key]:
        """(score turned round, name)."""
        return iter(self._keys)

    def move(self, name: str, old: float, new: float) -> None:
        """`name` had the score `old`."""
        del self._keys[bisect_left(self._keys, (-old, name))]
        insort(self._keys, (-new, name))
