"""Random specs about the same guests: only groups, who is in them, and port security differ.

They go the whole way from YAML to the document of host kvm-1, so that what is tested is what a user writes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from cloudsync.model.document import HostDocument
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot, Usage
from cloudsync.planner.documents import final, whole
from cloudsync.planner.resolve import resolve
from cloudsync.planner.seen import see
from cloudsync.scheduler.place import place
from cloudsync.spec.load import load
from tests.lab.standins import HOST

HERE = {
    "a": ("default", "10.20.0.11"),
    "b": ("default", "10.20.0.12"),
    "c": ("default", "10.20.0.13"),
    "d": ("back", "10.30.0.14"),
    "e": ("back", "10.30.0.15"),
}
"""Guests of this host: network and address."""
ELSEWHERE = {"far-1": ("default", "10.20.0.101"), "far-2": ("back", "10.30.0.102")}
INFRA = "203.0.113.99"
"""The other host's address: no guest may send there."""
STRANGERS = ["198.51.100.77", "192.0.2.7", "203.0.113.9", INFRA]
NATTED = "default"
"""The network whose guests leave under the host's address."""
GROUPS = ["default", "web", "db", "ops"]
PORTS = [1, 22, 79, 80, 81, 443, 8000, 8005, 8010, 8011, 65535]
"""What probes ask for: inside, outside and at the ends of what rules say."""
_HEAD = f"""\
version: 1
cloud: law
hosts:
  kvm-1: {{uri: 'sim:', address: {HOST}}}
  kvm-2: {{uri: 'sim:', address: {INFRA}}}
images: {{tiny: {{source: 'https://example.org/tiny.raw', sha256: {"a" * 64}}}}}
flavors: {{small: {{vcpus: 1, memory: 512MiB, disk: 4GiB}}}}
networks:
  default: {{subnet: 10.20.0.0/24}}
  back: {{subnet: 10.30.0.0/24, nat: false}}
"""

Written = Mapping[str, object]


@dataclass(frozen=True)
class World:
    """As written: None for a group, or an instance's groups, is where the spec says nothing. `unguarded` is one guest
    without port security."""

    groups: Mapping[str, Written | None]
    members: Mapping[str, Sequence[str] | None]
    unguarded: str | None

    def __str__(self) -> str:
        """The part of the spec that differs from world to world."""
        lines = ["security_groups:"]
        lines += [f"  {name}: {_flow(group)}" for name, group in self.groups.items() if group is not None]
        lines += ["instances:"] + [f"  {name}: {_flow(self._instance(name))}" for name in (*HERE, *ELSEWHERE)]
        return "\n".join(lines) + "\n"

    def _instance(self, name: str) -> Written:
        network, address = (HERE | ELSEWHERE)[name]
        card: dict[str, object] = {"name": network, "address": address}
        if name == self.unguarded:
            card["port_security"] = False
        groups = self.members[name]
        where = {"host": "kvm-1" if name in HERE else "kvm-2"}
        said: dict[str, object] = {"image": "tiny", "flavor": "small", "networks": [card], "placement": where}
        return said if groups is None else said | {"security_groups": groups}

    def document(self, folder: Path) -> HostDocument:
        path = folder / "cloud.yaml"
        path.write_text(_HEAD + str(self))
        cloud = load(path)
        much = Usage(vcpus=64, memory=1 << 38, disk=1 << 42)
        hosts = {name: HostState(name=name, status=HostStatus.READY, capacity=much) for name in cloud.hosts}
        snapshot = Snapshot(hosts=hosts)
        placements, unplaced = place(cloud, snapshot)
        assert not unplaced
        desired = resolve(cloud, placements, snapshot)
        return final(whole(cloud, desired, see(cloud, desired, hosts), hosts), "kvm-1")


def _flow(said: Written) -> str:
    return json.dumps(said)


_REMOTES = st.sampled_from(
    [
        *("any", "self", "0.0.0.0/0", "10.0.0.0/8", "10.20.0.0/24", "10.20.0.8/29", "10.30.0.15/32", "10.20.0.101"),
        *("198.51.100.0/24", "192.0.2.7/32", "192.0.2.0/29", "203.0.113.0/24", "network.default", "network.back"),
        *(f"group.{name}" for name in GROUPS),
        *(f"instance.{name}" for name in (*HERE, *ELSEWHERE)),
    ]
)
_SPANS = st.sampled_from([1, 22, 80, "80", 443, 65535, "1-1023", "79-80", "80-81", "443-8005", "8000-8010", "1-65535"])
_WITH_PORTS = st.fixed_dictionaries(
    {"protocol": st.sampled_from(["tcp", "udp", "sctp", 6, "17", "TCP", 132, "dccp", "udplite"])},
    optional={"ports": st.one_of(_SPANS, st.lists(_SPANS, min_size=1, max_size=3))},
)
_TYPES = st.sampled_from([8, "echo-request", 13, "timestamp-request", 0, 3, 17, 255])
_ICMP = st.just({"protocol": "icmp"}) | st.fixed_dictionaries(
    {"protocol": st.sampled_from(["icmp", 1]), "type": _TYPES}, optional={"code": st.sampled_from([0, 1, 255])}
)
_OTHERS: st.SearchStrategy[Written] = st.sampled_from(
    ["any", "ip", 0, 47, "gre", "50", "esp", "ipip", "igmp", 89, 253, 255]
).map(lambda protocol: {"protocol": protocol})
_WHAT: st.SearchStrategy[Written] = st.one_of(st.just({}), _WITH_PORTS, _WITH_PORTS, _ICMP, _OTHERS)


def _rules(side: str) -> st.SearchStrategy[list[Written]]:
    return st.lists(st.builds(lambda what, remote: {**what, side: remote}, _WHAT, _REMOTES), max_size=4)


_GROUP = st.fixed_dictionaries({}, optional={"ingress": _rules("from"), "egress": _rules("to")})
_MEMBERSHIP = st.one_of(st.none(), st.lists(st.sampled_from(GROUPS), max_size=3, unique=True))
EMPTY = World(dict.fromkeys(GROUPS), dict.fromkeys((*HERE, *ELSEWHERE)), None)
WORLDS: st.SearchStrategy[World] = st.builds(
    World,
    st.fixed_dictionaries({name: st.none() | _GROUP if name == "default" else _GROUP for name in GROUPS}),
    st.fixed_dictionaries(dict.fromkeys(EMPTY.members, _MEMBERSHIP)),
    st.none() | st.none() | st.none() | st.sampled_from(sorted(HERE)),
)


def _changed(world: World, other: World, taken: set[str]) -> World:
    """With the groups and memberships in `taken` as in `other`."""
    return World(
        {name: (other if name in taken else world).groups[name] for name in world.groups},
        {name: (other if name in taken else world).members[name] for name in world.members},
        other.unguarded if world.unguarded in taken else world.unguarded,
    )


_FEW = st.sets(st.sampled_from([*EMPTY.groups, *EMPTY.members]), min_size=1, max_size=2)
CHANGES: st.SearchStrategy[list[World]] = st.tuples(WORLDS, WORLDS, st.just(set(EMPTY.groups)) | _FEW).map(
    lambda drawn: [drawn[0], _changed(*drawn)]
)
"""A world and the one after it: the same with a few things changed, or with other groups altogether."""
