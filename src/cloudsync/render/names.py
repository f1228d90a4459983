"""Many names as few words: counted instances as a run, and no more than a handful of what is left."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from cloudsync.model.address import numbered

if TYPE_CHECKING:
    from cloudsync.reach.picture import Node, Picture

RUN = 4
MANY = 6
ABREAST = 3
FEW = 4
MANY_HOSTS = 8


def listed(names: Iterable[str]) -> str:
    """`internet, web-1 … web-40, db and 12 more`; kinds are left out."""
    words = list(_runs([name.removeprefix("instance.") for name in names]))
    if len(words) > MANY + 1:
        left = sum(count for _, count in words[MANY:])
        return f"{', '.join(word for word, _ in words[:MANY])} and {left:,} more"
    return ", ".join(word for word, _ in words)


def titled(node: "Node", picture: "Picture") -> str:
    """A node of a picture in two lines or three: who they are, their groups, and where they are unless `drawn_hosts`
    shows that."""
    lines = [listed(node.names), ", ".join(f"group.{name}" for name in node.groups) or "no group"]
    if not drawn_hosts(picture) and node.hosts:
        lines.append(f"on {len(node.hosts)} hosts" if len(node.hosts) > FEW else f"on {', '.join(node.hosts)}")
    return "\n".join(lines)


def drawn_hosts(picture: "Picture") -> tuple[str, ...]:
    """Hosts that are drawn as things of their own: of many none is, for nobody could follow the lines to them."""
    return tuple(picture.hosts) if len(picture.hosts) <= MANY_HOSTS else ()


def stacked(services: Sequence[str]) -> str:
    """Services a few to a line, so that what is written between two nodes does not push them far apart."""
    return "\n".join(", ".join(services[at : at + ABREAST]) for at in range(0, len(services), ABREAST))


def _runs(names: list[str]) -> Iterator[tuple[str, int]]:
    """Each word with how many it stands for. Only neighbours whose numbers follow one another make a run."""
    placed = [(name, *numbered(name)) for name in names]
    for _, found in groupby(enumerate(placed), key=lambda one: (one[1][1], one[1][2] - one[0])):
        run = [name for _, (name, _, _) in found]
        if len(run) >= RUN:
            yield f"{run[0]} … {run[-1]}", len(run)
        else:
            yield from ((name, 1) for name in run)
