"""Cloud and placements -> World: every address, MAC and UUID decided, what exists keeping what it has."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.plan import Placement
from cloudsync.model.resources import DataDisk, Digest, Instance, Nic, Seed, World
from cloudsync.model.snapshot import HostState, Snapshot
from cloudsync.planner.allocate import allocate
from cloudsync.planner.disks import decided as disks_of
from cloudsync.planner.floating import given
from cloudsync.planner.held import hold
from cloudsync.planner.identity import uuid_of
from cloudsync.planner.nics import decided, match, room
from cloudsync.planner.seed import seed
from cloudsync.scheduler.homes import Home, Homes, find_homes
from cloudsync.scheduler.standing import standing


def resolve(cloud: Cloud, placements: Iterable[Placement], snapshot: Snapshot) -> World:
    """Instances on hosts that cannot be asked are left out: nothing is decided about them.

    Raise CloudsyncError when a network has no address left.
    """
    states = standing(cloud, snapshot)
    homes = find_homes(cloud, states)
    hosts = {one.instance: one.host for one in placements}
    known = (name for name in sorted(hosts) if name not in homes.of or homes.of[name].known)
    names = [name for name in known if name not in cloud.held]
    before = {**homes.lost, **homes.of}
    stays = {name: match(cloud.instances[name].nics, before.get(name), cloud.networks) for name in names}
    addresses = allocate(cloud, stays, homes)
    uuids = {home.uuid for home in homes} | homes.spent
    identities: dict[str, tuple[int, str]] = {}
    for name in names:
        identities[name] = _identity(cloud, cloud.instances[name], homes.of.get(name), uuids, snapshot)
        uuids.add(identities[name][1])
        if name not in homes.of or identities[name][1] != homes.of[name].uuid:
            stays[name] = (None,) * len(stays[name])
    disks = _disk_ids(homes, states)
    macs = {one.mac for kept in stays.values() for one in kept if one}
    kept = (home.record for home in homes if home.record and (cloud.paused or cloud.held))
    macs |= {nic.mac for record in kept for nic in record.nics}
    instances: dict[str, Instance] = {}
    for name in names:
        wanted, identity = cloud.instances[name], identities[name]
        home, mtu = homes.of.get(name), room(cloud, snapshot.hosts[hosts[name]])
        nics = given(decided(identity[1], wanted.nics, addresses[name], stays[name], macs, mtu), wanted.floating)
        held = home.disks if home else ()
        data = tuple(disks_of(identity[1], wanted.disks, held, disks)) if wanted.disks else ()
        stays_itself = home is not None and home.uuid == identity[1]
        first = _seed(_digest(wanted.user_data), home, snapshot) if stays_itself else None
        instances[name] = _instance(cloud, wanted, hosts[name], identity, nics, data, first)
    world = World(
        keypairs=dict(sorted(cloud.keypairs.items())),
        groups=dict(sorted(cloud.groups.items())),
        networks=dict(sorted(cloud.networks.items())),
        images=dict(sorted(cloud.images.items())),
        instances=instances,
    )
    return hold(cloud, world, homes, snapshot.hosts)


def _seed(user_data: Digest | None, home: Home | None, snapshot: Snapshot) -> Seed | None:
    return seed(user_data, home, snapshot.hosts[home.host]) if home else None


def _identity(cloud: Cloud, wanted: Wanted, home: Home | None, taken: set[str], snapshot: Snapshot) -> tuple[int, str]:
    """Incarnation and UUID: kept, unless there is no record yet or its disk is to be another one.

    A guest with a new disk needs a new UUID, or cloud-init takes it for the machine that it was.
    """
    if home is None:
        return 0, uuid_of(cloud.name, wanted.name, 0, taken)
    incarnation = home.record.incarnation if home.record else 0
    image = home.record.image if home.record else home.machine.image if home.machine else None
    renewed = wanted.renews and _seed(_digest(wanted.user_data), home, snapshot) is not None
    same = image in (None, cloud.images[wanted.image].sha256) or _never_made(home, snapshot)
    if same and not renewed and wanted.name not in cloud.replaced:
        return incarnation, home.uuid
    return incarnation + 1, uuid_of(cloud.name, wanted.name, incarnation + 1, taken)


def _never_made(home: Home, snapshot: Snapshot) -> bool:
    """Whether all that there is of it is its record: no guest has seen its UUID, and no disk stands on its image."""
    host = snapshot.hosts[home.host]
    if home.record is None or home.machine is not None or not host.reachable or home.uuid in host.boots:
        return False
    return not any(home.uuid in other.disks for other in snapshot.hosts.values())


def _disk_ids(homes: Homes, states: Mapping[str, HostState]) -> set[str]:
    """Of every data disk that somebody has."""
    found = {disk.id for home in (*homes, *homes.lost.values(), *homes.dropped) for disk in home.disks}
    return found | {disk.id for host in states.values() for one in host.stale.values() for disk in one.data}


def _instance(
    cloud: Cloud,
    wanted: Wanted,
    host: str,
    identity: tuple[int, str],
    nics: tuple[Nic, ...],
    disks: tuple[DataDisk, ...],
    first: Seed | None,
) -> Instance:
    image, flavor = cloud.images[wanted.image], wanted.flavor
    incarnation, uuid = identity
    return Instance(
        name=wanted.name,
        uuid=uuid,
        incarnation=incarnation,
        host=host,
        image=image.sha256,
        image_name=image.name,
        flavor=flavor.name,
        vcpus=flavor.vcpus,
        memory=flavor.memory,
        disk=flavor.disk,
        nics=nics,
        groups=tuple(sorted(set(wanted.groups))),
        keypairs=tuple(sorted(set(wanted.keypairs))),
        user_data=_digest(wanted.user_data),
        seed=first,
        metadata=dict(sorted(wanted.metadata.items())),
        state=wanted.state,
        protect=wanted.protect,
        ignore=wanted.ignore,
        availability_zone=cloud.hosts[host].zone,
        launch_index=max(0, wanted.index - 1),
        disks=disks,
    )


def _digest(user_data: bytes | None) -> Digest | None:
    return None if user_data is None else Digest(sha256=sha256(user_data).hexdigest(), size=len(user_data))
