"""A big cloud on simulated hosts in memory, and what its hosts look like once it has been applied.

Ten hosts' worth for each 100 instances: zones, labels, 200 shapes, as many security groups and placement groups as a
twentieth of the instances.
"""

from collections.abc import Iterable

from cloudsync.hosts.sim import SimHost
from cloudsync.model.cloud import Cloud, Flavor, Host, PlacementGroup, Wanted, WantedNic, Where
from cloudsync.model.plan import Plan
from cloudsync.model.resources import Direction, Group, Image, Keypair, Network, Rule
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot

MIB, GIB = 1 << 20, 1 << 30
SHAPES = 200
PER_HOST = 10
ZONES = tuple(f"rack-{number:02}" for number in range(10))
_URI = "sim:?vcpus=64&memory=256GiB&disk=4TiB"


def big(hosts: int) -> Cloud:
    """`hosts` hosts and ten times as many instances."""
    count = hosts * PER_HOST
    groups = count // 20
    flavors = tuple(_flavor(number) for number in range(SHAPES))
    images = {name: _image(name) for name in ("debian", "noble", "alma")}
    return Cloud(
        name="bench",
        digest="d1",
        path="cloud.yaml",
        hosts={one.name: one for one in (_host(number) for number in range(hosts))},
        images=images,
        networks={"default": Network(name="default", subnet="10.64.0.0/10", gateway="10.64.0.1", domain="b.internal")},
        keypairs={"alice": Keypair(name="alice", public_key="ssh-ed25519 AAAAalice alice@laptop")},
        groups={one.name: one for one in (_group(number, groups) for number in range(-1, groups))},
        placement_groups={one.name: one for one in (_placement_group(number) for number in range(groups))},
        instances={one.name: one for one in (_instance(n, flavors, tuple(images)) for n in range(count))},
    )


def empty(cloud: Cloud) -> dict[str, SimHost]:
    return {name: SimHost(name, host.uri, None, cloud.name) for name, host in cloud.hosts.items()}


def observe(hosts: dict[str, SimHost], lost: Iterable[str] = ()) -> Snapshot:
    """Without the `lost` ones, which do not answer."""
    states = {name: host.observe() for name, host in hosts.items()}
    gone = {name: HostState(name=name, status=HostStatus.UNREACHABLE, reason="timed out") for name in lost}
    return Snapshot(hosts={**states, **gone})


def carry_out(plan: Plan, hosts: dict[str, SimHost]) -> None:
    """One step after the other; on each host they stand in the order in which they may be done."""
    for step in plan.steps:
        hosts[step.host].perform(step, {}, lambda _: None)


def _host(number: int) -> Host:
    """One in ten has other disks than the rest, and every tenth rack is a zone of its own."""
    labels = {"disk": "hdd" if number % 10 == 7 else "nvme", "row": f"r{number % 4}"}
    return Host(name=f"kvm-{number:04}", uri=_URI, zone=ZONES[number // 3 % len(ZONES)], labels=labels)


def _flavor(number: int) -> Flavor:
    memory = (512 + 256 * (number % 40)) * MIB
    return Flavor(name=f"f{number:03}", vcpus=1 + number % 8, memory=memory, disk=(4 + number // 8) * GIB)


def _image(name: str) -> Image:
    digest = (name.encode().hex() + "0" * 64)[:64]
    return Image(name=name, sha256=digest, source=f"https://example.org/{name}.qcow2", format="qcow2")


def _group(number: int, count: int) -> Group:
    """Each lets the one before it in, and anybody to one port; `default` is number -1."""
    if number < 0:
        return Group(name="default", rules=(Rule(direction=Direction.EGRESS),))
    remote = f"group.g{(number - 1) % count:04}"
    rules = (
        Rule(direction=Direction.INGRESS, protocol="tcp", ports=(5432, 5432), remote=remote),
        Rule(direction=Direction.INGRESS, protocol="tcp", ports=(443, 443)),
    )
    return Group(name=f"g{number:04}", rules=tuple(sorted(rules, key=Rule.key)))


def _placement_group(number: int) -> PlacementGroup:
    """Two on a host for those that keep to one zone."""
    policy = ("anti-affinity", "anti-affinity", "soft-anti-affinity")[number % 3]
    return PlacementGroup(name=f"p{number:04}", policy=policy, max_per_host=1 if number % 3 else 2)


def _instance(number: int, flavors: tuple[Flavor, ...], images: tuple[str, ...]) -> Wanted:
    """A third names a zone, a fifth a label; half belong to one of the placement groups, ten to each."""
    base = number // 20
    where = Where(
        zone=ZONES[base % len(ZONES)] if base % 3 == 0 else None,
        labels={"disk": "nvme"} if base % 5 == 0 else {},
        group=f"p{base:04}" if number % 2 == 0 else None,
    )
    return Wanted(
        name=f"i{base:04}-{number % 20 + 1}",
        base=f"i{base:04}",
        index=number % 20 + 1,
        image=images[base % len(images)],
        flavor=flavors[base % len(flavors)],
        nics=(WantedNic(network="default"),),
        keypairs=("alice",),
        groups=("default", f"g{base:04}"),
        where=where,
    )
