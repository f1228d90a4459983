"""The groups of one cloud made ready once, and handed out to every network card that they hold for."""

from collections.abc import Iterable, Mapping
from functools import cache

from cloudsync.model.resources import Direction, Group, Network, Rule
from cloudsync.reach.law import Law, Members, laws
from cloudsync.reach.scene import Laws

Rules = Mapping[str, Iterable[tuple[str, Rule]]]
"""Each group's rules beside the keys of their places."""


def plain(groups: Mapping[str, Group]) -> Rules:
    """Rules that are not known to stand anywhere but in their group."""
    return {name: tuple((f"group.{name}", rule) for rule in group.rules) for name, group in groups.items()}


class Book:
    def __init__(self, rules: Rules, networks: Mapping[str, Network], members: Members) -> None:
        known = cache(members)
        self._of = {name: laws(name, found, networks, known) for name, found in rules.items()}
        self._joined: dict[tuple[str, ...], Laws] = {}

    def hold(self, groups: tuple[str, ...]) -> Laws:
        """The union of these groups; one that is not there allows nothing."""
        if groups not in self._joined:
            found = [self._of[name] for name in sorted(set(groups)) if name in self._of]
            self._joined[groups] = {direction: _joined(found, direction) for direction in Direction}
        return self._joined[groups]


def _joined(found: list[dict[Direction, tuple[Law, ...]]], direction: Direction) -> tuple[Law, ...]:
    return tuple(law for one in found for law in one[direction])
