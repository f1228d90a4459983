"""Random clouds on the same few hosts: everything the spec can say, small enough that most pairs of them collide."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from ipaddress import IPv4Network
from typing import Any, TypeVar

from hypothesis import strategies as st

from cloudsync.model.cloud import Cloud, Flavor, Host, PlacementGroup, Scheduler, Wanted, WantedDisk, WantedNic, Where
from cloudsync.model.resources import Direction, Group, Image, Keypair, Network, Power, Rule
from cloudsync.model.snapshot import HostStatus, Usage

MIB, GIB = 1 << 20, 1 << 30
HOSTS = ("kvm-1", "kvm-2", "kvm-3")
BASES = ("app", "db", "web")
FLOATING = ("203.0.113.1", "203.0.113.2", "203.0.113.3")
SUBNETS = ("10.0.0.0/26", "10.0.0.64/26", "10.0.0.0/27", "10.0.1.0/26")
POLICIES = ("affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity")
FLAVORS = (
    Flavor(name="small", vcpus=1, memory=512 * MIB, disk=4 * GIB),
    Flavor(name="tiny", vcpus=1, memory=512 * MIB, disk=4 * GIB),
    Flavor(name="wide", vcpus=4, memory=512 * MIB, disk=4 * GIB),
    Flavor(name="roomy", vcpus=1, memory=1 * GIB, disk=8 * GIB),
    Flavor(name="large", vcpus=2, memory=8 * GIB, disk=40 * GIB),
)
DATA, MORE, LOGS = (WantedDisk(name=name, size=size * GIB) for name, size in (("data", 10), ("data", 20), ("logs", 5)))
DISKS = ((), (), (DATA,), (DATA,), (MORE,), (DATA, LOGS), (LOGS, MORE))
RULES = (
    Rule(direction=Direction.EGRESS),
    Rule(direction=Direction.INGRESS, remote="group.default"),
    Rule(direction=Direction.INGRESS, protocol="tcp", ports=(443, 443)),
    Rule(direction=Direction.INGRESS, protocol="tcp", ports=(8000, 8010), remote="10.9.0.0/16"),
    Rule(direction=Direction.INGRESS, protocol="icmp", icmp=(8, None)),
)


@dataclass(frozen=True)
class Names:
    """What a world's instances may refer to."""

    images: tuple[str, ...]
    networks: Mapping[str, Network]
    keypairs: tuple[str, ...]
    groups: tuple[str, ...]
    placement_groups: tuple[str, ...]
    hosts: tuple[str, ...]


def subset(items: tuple[str, ...], least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(items), min_size=least, unique=True).map(tuple)


@st.composite
def images(draw: st.DrawFn) -> dict[str, Image]:
    found = {}
    for name in draw(subset(("debian", "noble", "alma"), 1)):
        content = draw(st.sampled_from((f"{name}-1", f"{name}-2")))
        digest = sha256(content.encode()).hexdigest()
        found[name] = Image(name=name, sha256=digest, source=f"https://example.org/{content}", format="qcow2")
    return found


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Network]:
    found: dict[str, Network] = {}
    for name in draw(subset(("default", "inner"), 1)):
        free = [s for s in SUBNETS if not any(IPv4Network(s).overlaps(IPv4Network(o.subnet)) for o in found.values())]
        subnet = draw(st.sampled_from(free))
        gateway = str(IPv4Network(subnet)[draw(st.sampled_from((1, 2)))])
        nat = draw(st.booleans())
        found[name] = Network(name=name, subnet=subnet, gateway=gateway, nat=nat, domain="demo.internal")
    return found


@st.composite
def groups(draw: st.DrawFn, nets: tuple[str, ...]) -> dict[str, Group]:
    found = {}
    names = ("default", *draw(subset(("front", "back"))))
    near = tuple(f"group.{name}" for name in names) + tuple(f"network.{name}" for name in nets) + ("instance.web-1",)
    for name in names:
        rules = set(draw(st.lists(st.sampled_from(RULES), max_size=3)))
        for remote in draw(st.lists(st.sampled_from(near), max_size=2)):
            rules.add(Rule(direction=Direction.INGRESS, protocol="tcp", ports=(22, 22), remote=remote))
        found[name] = Group(name=name, rules=tuple(sorted(rules, key=Rule.key)), log_denied=draw(st.booleans()))
    return found


def parts(names: Names) -> dict[str, st.SearchStrategy[Any]]:
    """What an instance is made of, by the name of its field."""
    cards = st.builds(WantedNic, network=st.sampled_from(tuple(names.networks)), port_security=st.booleans())
    return {
        "image": st.sampled_from(names.images),
        "flavor": st.sampled_from(FLAVORS),
        # One network may have two NICs of an instance.
        "nics": st.lists(cards, min_size=1, max_size=2).map(tuple),
        "keypairs": subset(names.keypairs) if names.keypairs else st.just(()),
        "groups": subset(names.groups, 1),
        "where": where(names),
        "user_data": st.sampled_from((None, b"#cloud-config\n", b"#!/bin/sh\necho hidden\n")),
        "metadata": st.sampled_from(({}, {"role": "web"}, {"role": "db", "tier": "1"})),
        "state": st.sampled_from((Power.RUNNING, Power.RUNNING, Power.STOPPED)),
        "disks": st.sampled_from(DISKS),
        "ignore": st.sampled_from(((), (), ("state",))),
        "renews": st.sampled_from((False, False, True)),
    }


@st.composite
def instance(draw: st.DrawFn, base: str, index: int, made_of: Mapping[str, st.SearchStrategy[Any]]) -> Wanted:
    name = f"{base}-{index}" if index else base
    was = draw(st.sampled_from(((), ("old",), (BASES[0],), (f"{BASES[1]}-1",))))
    was += (base,) if index == 1 else () if index else (f"{base}-1",)
    fields: dict[str, Any] = {field: draw(part) for field, part in made_of.items()}
    return Wanted(name=name, base=base, index=index, was=tuple(old for old in was if old != name), **fields)


@st.composite
def where(draw: st.DrawFn, names: Names) -> Where:
    return Where(
        host=draw(st.sampled_from((*(None,) * 9, *names.hosts))),
        zone=draw(st.sampled_from((*(None,) * 6, "rack-a"))),
        group=draw(st.sampled_from((None, None, None, *names.placement_groups))),
    )


@st.composite
def instances(draw: st.DrawFn, names: Names, before: Mapping[str, Wanted]) -> dict[str, Wanted]:
    """Most are as they were before, or differ in one thing."""
    found = {}
    made_of = parts(names)
    for base in (*BASES, "old"):
        count = draw(st.sampled_from((2, 0, None, 1, 3)))
        for index in () if count is None else range(1, count + 1) if count else (0,):
            name = f"{base}-{index}" if index else base
            old, change = before.get(name), draw(st.sampled_from(PARTS))
            if old is None or change == "all" or not _known(old, names):
                found[name] = draw(instance(base, index, made_of))
            else:
                found[name] = replace(old, **{change: draw(made_of[change])}) if change else old
    numbers = draw(st.permutations(range(3, 9)))
    found = _with_addresses(found, names, numbers[: draw(st.sampled_from((0, 3, 6)))])
    return _with_floating(found, draw(st.permutations((*FLOATING, None, None))))


PARTS = (
    *("", "state", "", "flavor", "state", "nics", "groups", "", "keypairs", "user_data", "metadata", "image", "all"),
    *("disks", "image", "disks", "ignore", "renews"),
)


def _known(one: Wanted, names: Names) -> bool:
    """Whether everything that it refers to is there."""
    return (
        one.image in names.images
        and {nic.network for nic in one.nics} <= set(names.networks)
        and set(one.groups) <= set(names.groups)
        and set(one.keypairs) <= set(names.keypairs)
        and (one.where.group is None or one.where.group in names.placement_groups)
    )


def _with_addresses(found: dict[str, Wanted], names: Names, hosts: list[int]) -> dict[str, Wanted]:
    """Some first NICs get a written address, no two the same."""
    for name, one in found.items():
        found[name] = replace(one, nics=tuple(replace(nic, address=None) for nic in one.nics))
    for name, number in zip(sorted(found), hosts, strict=False):
        nic = found[name].nics[0]
        written = replace(nic, address=str(IPv4Network(names.networks[nic.network].subnet)[number]))
        found[name] = replace(found[name], nics=(written, *found[name].nics[1:]))
    return found


def _with_floating(found: dict[str, Wanted], addresses: list[str | None]) -> dict[str, Wanted]:
    """Some have one, no two the same; from world to world most of them move."""
    given = dict(zip(sorted(found), addresses, strict=False))
    return {name: replace(one, floating=given.get(name)) for name, one in found.items()}


@st.composite
def hosts(draw: st.DrawFn, count: int) -> dict[str, Host]:
    found = {}
    for index, name in enumerate(HOSTS[:count]):
        rare = st.sampled_from((HostStatus.CORDONED, HostStatus.DRAINED))
        state = draw(st.one_of(*(st.just(HostStatus.READY),) * 3, rare))
        zone = draw(st.sampled_from(("rack-a", "rack-a", "rack-b")))
        found[name] = Host(
            name=name, uri="sim:", address=f"198.51.100.{index + 1}", zone=zone, state=state, reserved=Usage()
        )
    return found


@st.composite
def clouds(draw: st.DrawFn, count: int, before: Cloud | None) -> Cloud:
    """A cloud on `count` hosts; `before` is where its parts come from, unless they change."""
    machines = draw(_kept(before.hosts if before else None, hosts(count)))
    pictures = draw(_kept(before.images if before else None, images()))
    nets = draw(_kept(before.networks if before else None, networks()))
    walls = draw(groups(tuple(nets)))
    keys = draw(st.dictionaries(st.sampled_from(("alice", "bob")), st.sampled_from(("AAAAone", "AAAAtwo"))))
    kinds = draw(st.dictionaries(st.sampled_from(("together", "apart")), st.sampled_from(POLICIES)))
    names = Names(tuple(pictures), nets, tuple(keys), tuple(walls), tuple(kinds), tuple(machines))
    return Cloud(
        name="demo",
        digest="",
        path="cloud.yaml",
        scheduler=Scheduler(strategy=draw(st.sampled_from(("spread", "pack")))),
        hosts=machines,
        images=pictures,
        networks=nets,
        keypairs={name: Keypair(name=name, public_key=f"ssh-ed25519 {key} {name}") for name, key in keys.items()},
        groups=walls,
        placement_groups={name: PlacementGroup(name=name, policy=policy) for name, policy in kinds.items()},
        instances=draw(instances(names, before.instances if before else {})),
    )


Part = TypeVar("Part")


def _kept(before: Part | None, fresh: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    return fresh if before is None else st.one_of(st.just(before), st.just(before), fresh)


@st.composite
def journeys(draw: st.DrawFn, stops: int) -> tuple[Cloud, ...]:
    """Several clouds on the same hosts, each made from the one before."""
    count = draw(st.integers(1, len(HOSTS)))
    found: list[Cloud] = []
    for _ in range(stops):
        found.append(draw(clouds(count, found[-1] if found else None)))
    return tuple(found)


def shuffled(cloud: Cloud, order: int) -> Cloud:
    """The same cloud, its maps written in another order."""

    def mixed(mapping: Mapping[str, object]) -> dict[str, object]:
        keys = sorted(mapping, key=lambda key: sha256(f"{order}{key}".encode()).digest())
        return {key: mapping[key] for key in keys}

    maps = ("hosts", "images", "networks", "keypairs", "groups", "placement_groups", "instances")
    fields: dict[str, dict[str, object]] = {name: mixed(getattr(cloud, name)) for name in maps}
    return replace(cloud, **fields)  # type: ignore[arg-type]
