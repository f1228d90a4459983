"""Hard constraints: one function each, returning why not (with numbers), or None."""

from collections.abc import Callable, Mapping

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.size import size
from cloudsync.model.snapshot import HostStatus
from cloudsync.scheduler.room import Room

Rooms = Mapping[str, Room]
Filter = Callable[[Cloud, Wanted, Room, Rooms], str | None]


def state(_cloud: Cloud, _wanted: Wanted, room: Room, _rooms: Rooms) -> str | None:
    if not room.state.reachable:
        return room.state.status.value
    if room.host.state is not HostStatus.READY:
        return room.host.state.value
    return None


def explicit_host(_cloud: Cloud, wanted: Wanted, room: Room, _rooms: Rooms) -> str | None:
    if wanted.where.host and wanted.where.host != room.host.name:
        return f"the spec says host.{wanted.where.host}"
    return None


def zone(_cloud: Cloud, wanted: Wanted, room: Room, _rooms: Rooms) -> str | None:
    if wanted.where.zone and wanted.where.zone != room.host.zone:
        return f"is in zone {room.host.zone or 'none'}, not {wanted.where.zone}"
    return None


def labels(_cloud: Cloud, wanted: Wanted, room: Room, _rooms: Rooms) -> str | None:
    for key, value in sorted(wanted.where.labels.items()):
        if room.host.labels.get(key) != value:
            return f"has label {key}={room.host.labels.get(key, 'none')}, not {value}"
    return None


def arch(cloud: Cloud, wanted: Wanted, room: Room, _rooms: Rooms) -> str | None:
    needed = cloud.images[wanted.image].arch
    return None if needed == room.state.arch else f"is {room.state.arch}, the image is {needed}"


def name_taken(_cloud: Cloud, wanted: Wanted, room: Room, _rooms: Rooms) -> str | None:
    if wanted.name in room.state.foreign_names:
        return f"a machine called {wanted.name} is there and is not ours"
    return None


def raw_size(_cloud: Cloud, wanted: Wanted, room: Room, _rooms: Rooms) -> str | None:
    """Overcommit never lets a single instance exceed the physical host."""
    flavor, raw = wanted.flavor, room.state.capacity
    if flavor.vcpus > raw.vcpus:
        return f"has {raw.vcpus} CPUs, {flavor.vcpus} wanted"
    if flavor.memory > raw.memory:
        return f"has {size(raw.memory)} memory, {size(flavor.memory)} wanted"
    if flavor.disk > raw.disk:
        return f"has {size(raw.disk)} disk, {size(flavor.disk)} wanted"
    return None


def capacity(_cloud: Cloud, wanted: Wanted, room: Room, _rooms: Rooms) -> str | None:
    flavor, limit = wanted.flavor, room.limit
    if room.vcpus + flavor.vcpus > limit.vcpus:
        return f"needs {room.vcpus + flavor.vcpus - limit.vcpus} more vCPUs ({limit.vcpus - room.vcpus} free)"
    if room.memory + flavor.memory > limit.memory:
        over, free = room.memory + flavor.memory - limit.memory, max(0, limit.memory - room.memory)
        return f"needs {size(over)} more memory ({size(free)} free)"
    if room.disk + flavor.disk > limit.disk:
        over, free = room.disk + flavor.disk - limit.disk, max(0, limit.disk - room.disk)
        return f"needs {size(over)} more disk ({size(free)} free)"
    return None


def placement_group(cloud: Cloud, wanted: Wanted, room: Room, rooms: Rooms) -> str | None:
    if not wanted.where.group:
        return None
    group = cloud.placement_groups[wanted.where.group]
    here = room.members.get(group.name, 0)
    if group.policy == "anti-affinity" and here >= group.max_per_host:
        return f"{group.name} has {here} there, at most {group.max_per_host}"
    if group.policy == "affinity" and not here:
        homes = sorted(name for name, other in rooms.items() if other.members.get(group.name))
        if homes:
            return f"{group.name} is on {', '.join(homes)}"
    return None


FILTERS: tuple[Filter, ...] = (
    state,
    explicit_host,
    arch,
    zone,
    labels,
    name_taken,
    raw_size,
    capacity,
    placement_group,
)


def why_not(cloud: Cloud, wanted: Wanted, room: Room, rooms: Rooms) -> str | None:
    """The first refusal, or None when the host will do."""
    for refuses in FILTERS:
        reason = refuses(cloud, wanted, room, rooms)
        if reason:
            return reason
    return None
