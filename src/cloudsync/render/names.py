"""Many names as few words: counted instances as a run, and no more than a handful of what is left."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from cloudsync.model.address import numbered

if TYPE_CHECKING:
    from cloudsync.reach.picture import Node

RUN = 4
MANY = 6


def listed(names: Iterable[str]) -> str:
    """`internet, web-1 … web-40, db and 12 more`; kinds are left out."""
    words = list(_runs([name.removeprefix("instance.") for name in names]))
    if len(words) > MANY + 1:
        left = sum(count for _, count in words[MANY:])
        return f"{', '.join(word for word, _ in words[:MANY])} and {left:,} more"
    return ", ".join(word for word, _ in words)


def titled(node: "Node") -> str:
    """A node of a picture in two lines: who they are, and their groups."""
    return f"{listed(node.names)}\n{', '.join(f'group.{name}' for name in node.groups) or 'no group'}"


def _runs(names: list[str]) -> Iterator[tuple[str, int]]:
    """Each word with how many it stands for. Only neighbours whose numbers follow one another make a run."""
    placed = [(name, *numbered(name)) for name in names]
    for _, found in groupby(enumerate(placed), key=lambda one: (one[1][1], one[1][2] - one[0])):
        run = [name for _, (name, _, _) in found]
        if len(run) >= RUN:
            yield f"{run[0]} … {run[-1]}", len(run)
        else:
            yield from ((name, 1) for name in run)
