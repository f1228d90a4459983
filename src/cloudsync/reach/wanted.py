"""Cloud -> Scene: what the spec says, with as many addresses as are known."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.resources import Direction
from cloudsync.reach.book import Book, Rules, plain
from cloudsync.reach.recorded import ranges
from cloudsync.reach.scene import Port, Scene, untracked
from cloudsync.reach.spot import Spot, at, somewhere

Addresses = Mapping[str, tuple[str, ...]]
"""By instance, one for each network card."""
Homes = Mapping[str, str]
"""The host that each instance is on."""


def of_cloud(cloud: Cloud, addresses: Addresses | None = None, homes: Homes | None = None) -> Scene:
    """The rules as they are written. Addresses that are neither given nor written are somewhere in their subnets, and
    instances that are neither at home nor bound to a host are on any."""
    usual = plain(cloud.groups)
    return scene(cloud, {name: cloud.written.get(name, usual[name]) for name in usual}, addresses or {}, homes or {})


def scene(cloud: Cloud, rules: Rules, addresses: Addresses, homes: Homes = MappingProxyType({})) -> Scene:
    """The spec's instances under these rules."""
    spots = {name: _spots(cloud, one, addresses.get(name, ())) for name, one in cloud.instances.items()}
    behind = _behind(cloud, spots)
    book = Book(rules, cloud.networks, lambda remote: frozenset(behind.get(remote, ())))
    only = next(iter(cloud.hosts)) if len(cloud.hosts) == 1 else ""
    ports = [
        port
        for name, one in cloud.instances.items()
        for port in _ports(one, spots[name], book, homes.get(name) or one.where.host or only)
    ]
    hosts = {host.address: name for name, host in cloud.hosts.items() if host.address}
    return Scene(
        tuple(ports),
        cloud.networks,
        ranges(hosts),
        untracked(cloud.groups.values()),
        hosts=hosts,
        unsaid=tuple(name for name, host in cloud.hosts.items() if not host.address),
        tunnelled=cloud.fabric == "vxlan",
    )


def _spots(cloud: Cloud, one: Wanted, known: tuple[str, ...]) -> list[Spot]:
    found = []
    for index, nic in enumerate(one.nics):
        address = known[index] if index < len(known) else nic.address
        subnet = cloud.networks[nic.network].subnet
        found.append(at(address) if address else somewhere(f"instance.{one.name}#{index}", subnet))
    return found


def _behind(cloud: Cloud, spots: Mapping[str, list[Spot]]) -> dict[str, list[str]]:
    """Keys of the spots behind each group and each instance; a counted name stands for all that it counts."""
    found: dict[str, list[str]] = {}
    for name, one in cloud.instances.items():
        keys = [spot.key for spot in spots[name]]
        for remote in {f"instance.{name}", f"instance.{one.base}", *(f"group.{group}" for group in one.groups)}:
            found.setdefault(remote, []).extend(keys)
    return found


def _ports(one: Wanted, spots: list[Spot], book: Book, host: str) -> Iterator[Port]:
    held = book.hold(one.groups)
    for index, (nic, spot) in enumerate(zip(one.nics, spots, strict=True)):
        yield Port(
            instance=one.name,
            network=nic.network,
            spot=spot,
            groups=one.groups,
            egress=held[Direction.EGRESS],
            ingress=held[Direction.INGRESS],
            guarded=nic.port_security,
            floating=one.floating if index == 0 else None,
            host=host,
        )
