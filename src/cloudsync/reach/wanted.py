"""Cloud -> Scene: what the spec says, with as many addresses as are known."""

from collections.abc import Iterator, Mapping

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.resources import Direction
from cloudsync.reach.book import Book, Rules, plain
from cloudsync.reach.recorded import ranges
from cloudsync.reach.scene import Port, Scene, untracked
from cloudsync.reach.spot import Spot, at, somewhere

Addresses = Mapping[str, tuple[str, ...]]
"""By instance, one for each network card."""


def of_cloud(cloud: Cloud, addresses: Addresses | None = None) -> Scene:
    """The rules as they are written. Addresses that are neither given nor written are somewhere in their subnets."""
    usual = plain(cloud.groups)
    return scene(cloud, {name: cloud.written.get(name, usual[name]) for name in usual}, addresses or {})


def scene(cloud: Cloud, rules: Rules, addresses: Addresses) -> Scene:
    """The spec's instances under these rules."""
    spots = {name: _spots(cloud, one, addresses.get(name, ())) for name, one in cloud.instances.items()}
    behind = _behind(cloud, spots)
    book = Book(rules, cloud.networks, lambda remote: frozenset(behind.get(remote, ())))
    ports = [port for name, one in cloud.instances.items() for port in _ports(one, spots[name], book)]
    infra = {host.address for host in cloud.hosts.values() if host.address}
    return Scene(tuple(ports), cloud.networks, ranges(infra), untracked(cloud.groups.values()))


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


def _ports(one: Wanted, spots: list[Spot], book: Book) -> Iterator[Port]:
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
        )
