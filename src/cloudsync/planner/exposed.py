"""What hosts have on record and what is wanted, as two scenes: the plan's Exposure is how they differ."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Exposure
from cloudsync.model.resources import Direction, Instance, World
from cloudsync.model.snapshot import HostState
from cloudsync.planner.seen import Sight
from cloudsync.reach.book import plain
from cloudsync.reach.exposure import exposure
from cloudsync.reach.recorded import book, of_documents
from cloudsync.reach.scene import Port, Scene
from cloudsync.reach.spot import at
from cloudsync.reach.wanted import Addresses, scene


def exposed(cloud: Cloud, desired: World, sight: Sight, hosts: Mapping[str, HostState]) -> Exposure:
    """Instances on hosts that cannot be asked stay as they are, and are still among those that others speak to."""
    documents = [host.document for host in hosts.values() if host.reachable and host.document]
    if _same(desired, sight, documents):
        return Exposure()
    names = {pair.home.uuid: pair.wanted.name for pair in sight.pairs if pair.home and pair.wanted}
    gone = {pair.home.uuid for pair in sight.pairs if pair.home and not (pair.wanted or pair.is_there)}
    before, after = of_documents(_without(documents, gone), names), _after(cloud, desired, sight)
    away = {name for _, name in sight.away if name}
    remaining = tuple(left(cloud, [(name, home.addresses) for home, name in sight.away if name], documents))
    return exposure(
        replace(before, ports=(*before.ports, *remaining)),
        replace(after, ports=(*(port for port in after.ports if port.instance not in away), *remaining)),
    )


def untold(found: Exposure) -> tuple[str, ...]:
    """A warning that not all is told."""
    if not found.untold:
        return ()
    return (
        f"Exposure is not told in full: {found.untold:,} pairs more would have to be compared, most of them instances "
        "with one another; ask `cloudsync reach FROM TO`, or write what must hold into  expect",
    )


def addresses(desired: World, sight: Sight) -> Addresses:
    """All that are decided, those on hosts that cannot be asked among them."""
    away = {name: home.addresses for home, name in sight.away if name}
    return away | {name: tuple(nic.address for nic in one.nics) for name, one in desired.instances.items()}


def _same(desired: World, sight: Sight, documents: list[HostDocument]) -> bool:
    """Whether nothing differs that could make a difference: then nothing needs to be compared one by one."""
    return all(one.groups == desired.groups and one.networks == desired.networks for one in documents) and all(
        pair.record and pair.wanted and _ends(pair.record) == _ends(pair.wanted) for pair in sight.pairs
    )


def _ends(one: Instance) -> tuple[object, ...]:
    return one.groups, [(nic.network, nic.address, nic.port_security) for nic in one.nics]


def _without(documents: list[HostDocument], gone: Set[str]) -> list[HostDocument]:
    """What is gone already reaches nobody, whatever is still on record of it."""
    return [
        replace(one, instances={name: known for name, known in one.instances.items() if known.uuid not in gone})
        if any(known.uuid in gone for known in one.instances.values())
        else one
        for one in documents
    ]


def _after(cloud: Cloud, desired: World, sight: Sight) -> Scene:
    """Without what has no place: it will not be there."""
    known = addresses(desired, sight)
    there = {name: one for name, one in cloud.instances.items() if name in known}
    return scene(replace(cloud, instances=there), plain(cloud.groups), known)


def left(cloud: Cloud, away: Iterable[tuple[str, tuple[str, ...]]], documents: list[HostDocument]) -> Iterator[Port]:
    """Instances on hosts that cannot be asked, each with its addresses, under the rules that were applied last."""
    latest = newest(documents)
    if latest is None:
        return
    rules = book(latest)
    for name, having in away:
        wanted = cloud.instances[name]
        held = rules.hold(wanted.groups)
        for nic, address in zip(wanted.nics, having, strict=False):
            yield Port(
                instance=name,
                network=nic.network,
                spot=at(address),
                groups=wanted.groups,
                egress=held[Direction.EGRESS],
                ingress=held[Direction.INGRESS],
                guarded=nic.port_security,
            )


def newest(documents: Iterable[HostDocument]) -> HostDocument | None:
    """The one that was applied last."""
    return max(documents, key=lambda one: (one.applied.at, one.host), default=None)
