"""What was made of things that are still the very same objects is not made again. The parts keep one each.

A delta leaves what it does not change as it was, so the cost of a new document follows the change. The things must be
immutable, and `on` must name all that a result depends on.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from cloudsync.model.delta import fresh, gone

T = TypeVar("T")

_Key = tuple[object, ...]


class Memo:
    """Not for several threads at once. What neither this `turn` nor the last one asked for is forgotten."""

    def __init__(self) -> None:
        self._before: dict[_Key, tuple[_Key, Any]] = {}
        self._now: dict[_Key, tuple[_Key, Any]] = {}
        self._maps: dict[object, tuple[Mapping[str, Any], _Key, dict[str, Any]]] = {}

    def turn(self) -> None:
        """Before each document."""
        self._before, self._now = self._now, {}

    def of(self, on: _Key, make: Callable[..., T], *arguments: Any) -> T:
        """`make(*arguments)`, from memory when it was made `on` the same objects; those live on here, so that no other
        object can come to have their identity."""
        key = (make, *map(id, on))
        found = self._now.get(key) or self._before.get(key) or (on, make(*arguments))
        self._now[key] = found
        result: T = found[1]
        return result

    def each(
        self, on: _Key, make: Callable[..., T | None], things: Mapping[str, Any], *arguments: Any
    ) -> Mapping[str, T]:
        """`make(key, thing, *arguments)` of every entry, again only where the thing is another object; without those
        of which it is None."""
        old, basis, results = self._maps.get(make, ({}, on, {}))
        if not _same(basis, on):
            old, results = {}, {}
        if old is not things:
            results = dict(results)
            made = {key: make(key, thing, *arguments) for key, thing in fresh(things, old).items()}
            for key in (*gone(things, old), *(key for key, result in made.items() if result is None)):
                results.pop(key, None)
            results.update((key, result) for key, result in made.items() if result is not None)
        self._maps[make] = (things, on, results)
        return results


def _same(one: _Key, other: _Key) -> bool:
    return len(one) == len(other) and all(left is right for left, right in zip(one, other, strict=True))
