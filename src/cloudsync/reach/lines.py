"""Who may send what to whom, pair by pair, in as few lines as grouping by one side gives. `exposure` calls it."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from cloudsync.model.plan import Exposed
from cloudsync.reach.ends import INTERNET, in_order

Said = dict[tuple[int, int], tuple[str, ...]]
"""Two actors, by number -> what the one may send to the other, in words."""
Named = Sequence[tuple[bool, tuple[str, ...]]]
"""Of each actor: whether it is outside, and the names of those that it stands for."""
Order = list[tuple[bool, tuple[str, int, str]]]


def lines(said: Said, named: Named) -> tuple[Exposed, ...]:
    """Nobody is told to reach only itself."""
    found = []
    alike: dict[tuple[str, ...], dict[int, set[int]]] = {}
    for (one, other), services in said.items():
        alike.setdefault(services, {}).setdefault(one, set()).add(other)
    for services, reached in alike.items():
        for ones, others in _grouped(reached):
            sources, targets = _names(ones, named), _names(others, named)
            if len(sources) == 1:
                targets = tuple(name for name in targets if name != sources[0])
            elif len(targets) == 1:
                sources = tuple(name for name in sources if name != targets[0])
            if targets:
                found.append(Exposed(sources=sources, targets=targets, services=services))
    return tuple(sorted(found, key=_order))


def _order(line: Exposed) -> tuple[Order, Order, tuple[str, ...]]:
    return _placed(line.sources), _placed(line.targets), line.services


def _placed(names: Iterable[str]) -> Order:
    return [_place(name) for name in names]


@lru_cache(maxsize=1 << 15)
def _place(name: str) -> tuple[bool, tuple[str, int, str]]:
    return name != INTERNET, in_order(name)


def _grouped(reached: dict[int, set[int]]) -> list[tuple[list[int], list[int]]]:
    """Sources that reach the same are told together, or targets that are reached by the same."""
    back: dict[int, set[int]] = {}
    for source, targets in reached.items():
        for target in targets:
            back.setdefault(target, set()).add(source)
    forth = _alike(reached)
    turned = [(sources, targets) for targets, sources in _alike(back)]
    return forth if len(forth) <= len(turned) else turned


def _alike(reached: dict[int, set[int]]) -> list[tuple[list[int], list[int]]]:
    same: dict[frozenset[int], list[int]] = {}
    for one, others in reached.items():
        same.setdefault(frozenset(others), []).append(one)
    return [(ones, sorted(others)) for others, ones in same.items()]


def _names(numbers: list[int], named: Named) -> tuple[str, ...]:
    """The internet, prefixes of it, instances."""
    found = [(named[number][0], name) for number in numbers for name in named[number][1]]
    return tuple(name for _, name in sorted(found, key=lambda one: (not one[0], _place(one[1]))))
