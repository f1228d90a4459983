"""A scene as what a drawing shows: who there is, in which network and group, on which host, and who may talk to whom.

Instances that fare alike are one node, and everything that is allowed the same way is one flow.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Exposed
from cloudsync.reach.ends import in_order
from cloudsync.reach.exposure import exposure
from cloudsync.reach.scene import Scene

UNPLACED = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """`id` is short and safe anywhere. `names` are of one kind; `networks` is empty for what is outside.

    `hosts` maps each host to how many of them it has, under "" those that are on none yet.
    """

    id: str
    names: tuple[str, ...]
    networks: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    hosts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Ids of nodes, and what each of the sources may send to each of the targets."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """`networks` maps a network to its subnet, `hosts` a host to the instances on it, `groups` a group to how many
    instances are in it."""

    cloud: str
    nodes: tuple[Node, ...]
    flows: tuple[Flow, ...]
    networks: Mapping[str, str]
    groups: Mapping[str, int]
    hosts: Mapping[str, tuple[str, ...]]

    def inside(self, network: str) -> tuple[Node, ...]:
        """Nodes by the network of their first card."""
        return tuple(node for node in self.nodes if node.networks[:1] == (network,))

    @property
    def outside(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if not node.networks)


def picture(cloud: Cloud, scene: Scene, homes: Mapping[str, str]) -> Picture:
    """`homes` leads from an instance to its host, for those that are on one."""
    lines = exposure(Scene(()), scene).added
    nodes = tuple(_nodes(cloud, scene, lines, homes))
    ids = {name: node.id for node in nodes for name in node.names}
    members = [group for one in cloud.instances.values() for group in one.groups]
    there = {host: tuple(sorted((one for one in homes if homes[one] == host), key=in_order)) for host in cloud.hosts}
    return Picture(
        cloud=cloud.name,
        nodes=nodes,
        flows=tuple(_flow(line, ids) for line in lines),
        networks={name: network.subnet for name, network in sorted(cloud.networks.items())},
        groups={name: members.count(name) for name in sorted(cloud.groups)},
        hosts=dict(sorted(there.items())),
    )


def _nodes(cloud: Cloud, scene: Scene, lines: tuple[Exposed, ...], homes: Mapping[str, str]) -> Iterator[Node]:
    ends = dict.fromkeys(name for line in lines for name in (*line.sources, *line.targets))
    outside = [(name,) for name in ends if not name.startswith("instance.")]
    inside = [f"instance.{name}" for name in sorted(cloud.instances, key=in_order)]
    for number, names in enumerate([*outside, *_alike(inside, scene, lines)]):
        bare = [name.removeprefix("instance.") for name in names]
        ports = scene.of.get(bare[0], ())
        placed = [homes.get(name, UNPLACED) for name in bare] if ports else []
        yield Node(
            id=f"n{number}",
            names=tuple(names),
            networks=tuple(dict.fromkeys(port.network for port in ports)),
            groups=ports[0].groups if ports else (),
            hosts={host: placed.count(host) for host in sorted(set(placed))},
        )


def _alike(names: list[str], scene: Scene, lines: tuple[Exposed, ...]) -> list[tuple[str, ...]]:
    """Of the same groups and networks, and part of the same flows."""
    part: dict[str, list[int]] = {name: [] for name in names}
    for number, line in enumerate(lines):
        for side, ends in ((1, line.sources), (-1, line.targets)):
            for name in ends:
                if name in part:
                    part[name].append(side * (number + 1))
    found: dict[object, list[str]] = {}
    for name in names:
        ports = scene.of.get(name.removeprefix("instance."), ())
        cards = tuple((port.network, port.groups) for port in ports)
        found.setdefault((cards, tuple(part[name])), []).append(name)
    return [tuple(same) for same in found.values()]


def _flow(line: Exposed, ids: Mapping[str, str]) -> Flow:
    return Flow(
        sources=tuple(dict.fromkeys(ids[name] for name in line.sources)),
        targets=tuple(dict.fromkeys(ids[name] for name in line.targets)),
        services=line.services,
    )
