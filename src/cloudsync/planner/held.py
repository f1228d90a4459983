"""Instances that nothing may touch (`paused: true`, or what narrow.py leaves out): they stay as they are on record, and
what waits is shown. Pure.

resolve.py puts the record in place of what is wanted; make.py goes on with the cloud that this makes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from cloudsync.model.address import numbered
from cloudsync.model.cloud import Cloud, Flavor, Wanted, WantedDisk, WantedNic
from cloudsync.model.plan import Action, Change, Field, Held
from cloudsync.model.resources import Image, Instance, World
from cloudsync.model.snapshot import HostState, HostStatus
from cloudsync.planner.seen import Pair, Sight
from cloudsync.scheduler.filters import why_move
from cloudsync.scheduler.homes import Homes
from cloudsync.scheduler.room import Room

PAUSED = "paused"
T = TypeVar("T")


def hold(cloud: Cloud, world: World, homes: Homes, hosts: Mapping[str, HostState]) -> World:
    """`world` with what is paused as it is on record, and with all that the records refer to."""
    if not (cloud.paused or cloud.held):
        return world
    instances, held = dict(world.instances), dict(world.held)
    for name in cloud.held & homes.of.keys():
        if homes.of[name].known and (record := homes.of[name].record):
            instances[name] = record
            if name not in cloud.upkept:
                held[name] = record
    for name, one in world.instances.items():
        home = homes.of.get(name)
        if home and cloud.instances[name].base in cloud.paused:
            del instances[name]
            record = home.record or one
            instances[record.name], held[record.name] = record, one
    for home in homes.others:
        if home.known and home.record and home.name not in instances and paused_key(cloud, home.name):
            instances[home.name], held[home.name] = home.record, None
    fixed = held.keys() | (cloud.upkept & instances.keys())
    return _with_references(replace(world, instances=dict(sorted(instances.items())), held=held), fixed, hosts)


def frozen(cloud: Cloud, desired: World) -> Cloud:
    """The cloud as it is carried out: what is held is as on record, and what is to be made later is not there."""
    if not (cloud.paused or cloud.held):
        return cloud
    instances = {
        name: one for name, one in cloud.instances.items() if one.base not in cloud.paused or name in desired.instances
    }
    for name, would in desired.held.items():
        base = cloud.instances[would.name].base if would else paused_key(cloud, name)
        instances[name] = as_recorded(desired.instances[name], base)
    return replace(
        cloud,
        instances=dict(sorted(instances.items())),
        networks=desired.networks,
        groups=desired.groups,
        keypairs=desired.keypairs,
    )


def pending(sight: Sight, would: Mapping[str, Instance | None]) -> Iterator[Pair]:
    """Each of those that are held beside how it would be."""
    for pair in sight.pairs:
        if pair.held and pair.name in would:
            wanted = would[pair.name]
            stay = {disk.id for disk in wanted.disks} if wanted else set()
            going = tuple(disk for disk in pair.disks if disk.id not in stay)
            yield replace(pair, wanted=wanted, held=False, going=going)


def waiting(changes: Iterable[Change], cloud: Cloud, pair: Pair) -> Iterator[Held]:
    """What is not done to one of these; `changes` are what would be, `cloud` as it is written."""
    yield from (Held(why=PAUSED, change=change) for change in changes if change.action is not Action.REPAIR)
    wanted = cloud.instances.get(pair.wanted.name) if pair.wanted else None
    why = _must_leave(cloud, wanted, pair.source) if wanted else ""
    if why:
        leaves = Field(path="host", before=pair.source.name, after="another")
        address, hosts = f"instance.{pair.name}", (pair.source.name,)
        moving = Change(address=address, action=Action.MOVE, fields=(leaves,), reasons=(why,), hosts=hosts)
        yield Held(why=PAUSED, change=moving)


def unmade(cloud: Cloud, homes: Homes) -> Iterator[Held]:
    """What is paused and not there at all."""
    for name, wanted in sorted(cloud.instances.items()):
        if wanted.base in cloud.paused and name not in homes.of and name not in homes.lost:
            shown = (("flavor", wanted.flavor.name), ("image", wanted.image))
            fields = tuple(Field(path=path, before=None, after=after) for path, after in shown)
            yield Held(why=PAUSED, change=Change(address=f"instance.{name}", action=Action.CREATE, fields=fields))


def _must_leave(cloud: Cloud, wanted: Wanted, host: HostState) -> str:
    if host.status is HostStatus.DRAINED:
        return f"host.{host.name} is drained"
    return why_move(cloud, wanted, Room.of(cloud.hosts[host.name], host)) or ""


def paused_key(cloud: Cloud, name: str) -> str:
    """The paused key that a name is, or was counted under; empty when there is none."""
    if name in cloud.paused:
        return name
    base, _ = numbered(name)
    return base if base in cloud.paused else ""


def as_recorded(record: Instance, base: str) -> Wanted:
    """What a spec would say of an instance that is as it is."""
    return Wanted(
        name=record.name,
        base=base,
        image=record.image_name,
        flavor=Flavor(name=record.flavor, vcpus=record.vcpus, memory=record.memory, disk=record.disk),
        nics=tuple(
            WantedNic(network=nic.network, address=nic.address, port_security=nic.port_security) for nic in record.nics
        ),
        keypairs=record.keypairs,
        groups=record.groups,
        floating=next(iter(record.floating), None),
        metadata=record.metadata,
        state=record.state,
        protect=record.protect,
        disks=tuple(WantedDisk(name=disk.name, size=disk.size) for disk in record.disks),
    )


def _with_references(world: World, fixed: Iterable[str], hosts: Mapping[str, HostState]) -> World:
    """Groups, networks and keys that only the records name still are as their hosts have them."""
    networks, groups, keypairs, images = dict(world.networks), dict(world.groups), dict(world.keypairs), {}
    for name in sorted(fixed):
        record = world.instances[name]
        document = hosts[record.host].document
        if document is None:
            continue
        _add(networks, document.networks, {nic.network for nic in record.nics})
        _add(groups, document.groups, record.groups)
        _add(keypairs, document.keypairs, record.keypairs)
        images[record.image_name] = Image(name=record.image_name, sha256=record.image, source="")
    return replace(
        world,
        networks=dict(sorted(networks.items())),
        groups=dict(sorted(groups.items())),
        keypairs=dict(sorted(keypairs.items())),
        images={**images, **world.images},
    )


def _add(found: dict[str, T], there: Mapping[str, T], names: Iterable[str]) -> None:
    for name in names:
        if name in there:
            found.setdefault(name, there[name])
