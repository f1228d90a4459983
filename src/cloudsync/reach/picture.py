"""One scene, or what it was and what it will be, as what a drawing shows: who there is, in which network and group, on
which host, and who may talk to whom.

Instances that fare alike are one node, and everything that is allowed the same way is one flow.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from enum import StrEnum

from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Exposed
from cloudsync.reach.ends import in_order
from cloudsync.reach.exposure import overview
from cloudsync.reach.scene import Port, Scene

UNPLACED = ""


class Mark(StrEnum):
    """What becomes of it; the sign says so where colours do not."""

    SAME = ""
    NEW = "+"
    GONE = "−"
    CHANGED = "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One side of a picture. `homes` leads from an instance to its host, for those that are on one. Of those that it
    does not name nothing is known unless `asked`: then they are on none."""

    scene: Scene
    groups: Collection[str]
    hosts: Collection[str] = ()
    homes: Mapping[str, str] = field(default_factory=dict)
    asked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """`id` is short and safe anywhere. `names` are of one kind; `networks` is empty for what is outside.

    `hosts` maps each host to how many of them it has, under "" those that are on none yet. `groups_before` and
    `hosts_before` are the same as long as nothing changes.
    """

    id: str
    names: tuple[str, ...]
    networks: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    groups_before: tuple[str, ...] = ()
    hosts: Mapping[str, int]
    hosts_before: Mapping[str, int]
    mark: Mark = Mark.SAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Ids of nodes, and what each of the sources may send to each of the targets."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    services: tuple[str, ...]
    mark: Mark = Mark.SAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A host and the instances on it, or a group and those in it, before and after; None where it is not there."""

    before: tuple[str, ...] | None
    after: tuple[str, ...] | None

    @property
    def mark(self) -> Mark:
        if self.before is None or self.after is None:
            return Mark.NEW if self.before is None else Mark.GONE
        return Mark.SAME if self.before == self.after else Mark.CHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """`networks` maps a network to its subnet. `compared`: it shows a change. `hidden` counts what `trim` left out:
    instances, and flows. `untold` pairs were too many to be compared."""

    cloud: str
    nodes: tuple[Node, ...]
    flows: tuple[Flow, ...]
    networks: Mapping[str, str]
    groups: Mapping[str, Standing]
    hosts: Mapping[str, Standing]
    compared: bool = False
    hidden: tuple[int, int] = (0, 0)
    untold: int = 0

    def inside(self, network: str) -> tuple[Node, ...]:
        """Nodes by the network of their first card."""
        return tuple(node for node in self.nodes if node.networks[:1] == (network,))

    @property
    def outside(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if not node.networks)


def picture(cloud: str, before: View, after: View, changed: Collection[str] = ()) -> Picture:
    """Of one thing where both sides are the same. `changed` are instances that are not as they were in some other way
    than where they are, and with whom they may talk."""
    kept, differing = overview(before.scene, after.scene)
    marked = [(line, Mark.NEW) for line in differing.added] + [(line, Mark.GONE) for line in differing.removed]
    marked += [(line, Mark.SAME) for line in kept]
    pair = _Pair(before, after, frozenset(changed))
    nodes = tuple(_nodes(pair, [line for line, _ in marked]))
    ids = {name: node.id for node in nodes for name in node.names}
    networks = {**before.scene.networks, **after.scene.networks}
    return Picture(
        cloud=cloud,
        untold=differing.untold,
        nodes=nodes,
        flows=tuple(_flow(line, ids, mark) for line, mark in marked),
        networks={name: network.subnet for name, network in sorted(networks.items())},
        groups=_standings(_members(before), _members(after)),
        hosts=_standings(_residents(before), _residents(after)),
        compared=before is not after,
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    before: View
    after: View
    changed: frozenset[str]

    @property
    def names(self) -> list[str]:
        return sorted({*self.before.scene.of, *self.after.scene.of}, key=in_order)

    def ports(self, name: str) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
        return self.before.scene.of.get(name, ()), self.after.scene.of.get(name, ())

    def mark(self, name: str) -> Mark:
        then, now = self.ports(name)
        if not then or not now:
            return Mark.NEW if now else Mark.GONE
        moved = self.before.homes.get(name) != self.after.homes.get(name)
        return Mark.CHANGED if moved or name in self.changed or _cards(then) != _cards(now) else Mark.SAME


def _cards(ports: tuple[Port, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((port.network, port.groups) for port in ports)


def _nodes(pair: _Pair, lines: list[Exposed]) -> Iterator[Node]:
    ends = dict.fromkeys(name for line in lines for name in (*line.sources, *line.targets))
    outside = [(name,) for name in ends if not name.startswith("instance.")]
    for number, names in enumerate([*outside, *_alike(pair, lines)]):
        bare = [name.removeprefix("instance.") for name in names]
        then, now = pair.ports(bare[0])
        here = now or then
        there = bare if here else []
        yield Node(
            id=f"n{number}",
            names=tuple(names),
            networks=tuple(dict.fromkeys(port.network for port in here)),
            groups=here[0].groups if here else (),
            groups_before=(then or now)[0].groups if here else (),
            hosts=_counted(pair.after if now else pair.before, there),
            hosts_before=_counted(pair.before if then else pair.after, there),
            mark=pair.mark(bare[0]) if here else Mark.SAME,
        )


def _alike(pair: _Pair, lines: list[Exposed]) -> list[tuple[str, ...]]:
    """Of the same groups and networks, with the same change of them, and part of the same flows."""
    names = [f"instance.{name}" for name in pair.names]
    part: dict[str, list[int]] = {name: [] for name in names}
    for number, line in enumerate(lines):
        for side, ends in ((1, line.sources), (-1, line.targets)):
            for name in ends:
                if name in part:
                    part[name].append(side * (number + 1))
    found: dict[object, list[str]] = {}
    for name in names:
        bare = name.removeprefix("instance.")
        then, now = pair.ports(bare)
        found.setdefault((_cards(then), _cards(now), pair.mark(bare), tuple(part[name])), []).append(name)
    return [tuple(same) for same in found.values()]


def _counted(view: View, names: list[str]) -> dict[str, int]:
    placed = [view.homes.get(name, UNPLACED) for name in names if view.asked or name in view.homes]
    return {host: placed.count(host) for host in sorted(set(placed), key=in_order)}


def _flow(line: Exposed, ids: Mapping[str, str], mark: Mark) -> Flow:
    return Flow(
        sources=tuple(dict.fromkeys(ids[name] for name in line.sources)),
        targets=tuple(dict.fromkeys(ids[name] for name in line.targets)),
        services=line.services,
        mark=mark,
    )


Members = dict[str, list[str]]


def _members(view: View) -> Members:
    """Each group, and who is in it."""
    found: Members = {name: [] for name in view.groups}
    for name, ports in view.scene.of.items():
        for group in ports[0].groups:
            found.setdefault(group, []).append(name)
    return found


def _residents(view: View) -> Members:
    """Each host, and who is on it."""
    found: Members = {name: [] for name in view.hosts}
    for name, host in view.homes.items():
        found.setdefault(host, []).append(name)
    return found


def _standings(before: Members, after: Members) -> dict[str, Standing]:
    return {
        name: Standing(before=_ordered(before.get(name)), after=_ordered(after.get(name)))
        for name in sorted({*before, *after}, key=in_order)
    }


def _ordered(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(names, key=in_order))
