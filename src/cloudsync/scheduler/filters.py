"""Hard constraints: one function each, returning why not (with numbers), or None."""

from collections.abc import Callable

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.resources import Image
from cloudsync.model.size import size
from cloudsync.model.snapshot import HostState, HostStatus
from cloudsync.model.spare import shortage
from cloudsync.scheduler.room import Room

_PLENTY = 64 << 30
"""Bytes: no image is as big."""

Filter = Callable[[Cloud, Wanted, Room], str | None]


def state(_cloud: Cloud, _wanted: Wanted, room: Room) -> str | None:
    return None if room.state.status is HostStatus.READY else room.state.status.value


def explicit_host(_cloud: Cloud, wanted: Wanted, room: Room) -> str | None:
    if wanted.where.host and wanted.where.host != room.host.name:
        return f"the spec says host.{wanted.where.host}"
    return None


def arch(cloud: Cloud, wanted: Wanted, room: Room) -> str | None:
    needed = cloud.images[wanted.image].arch
    return None if needed == room.state.arch else f"is {room.state.arch}, the image is {needed}"


def zone(_cloud: Cloud, wanted: Wanted, room: Room) -> str | None:
    if wanted.where.zone and wanted.where.zone != room.host.zone:
        return f"is in {f'zone {room.host.zone}' if room.host.zone else 'no zone'}, not in {wanted.where.zone}"
    return None


def labels(_cloud: Cloud, wanted: Wanted, room: Room) -> str | None:
    for key, value in sorted(wanted.where.labels.items()):
        if key not in room.host.labels:
            return f"has no label {key}={value}"
        if room.host.labels[key] != value:
            return f"has label {key}={room.host.labels[key]}, not {value}"
    return None


def image_minimum(cloud: Cloud, wanted: Wanted, room: Room) -> str | None:
    """What the spec asks for the image, and what a host that has it knows of it."""
    image, flavor = cloud.images[wanted.image], wanted.flavor
    if flavor.memory < image.min_memory:
        return f"image.{image.name} needs {size(image.min_memory)} of memory, {flavor.name} has {size(flavor.memory)}"
    needed = max(image.min_disk, room.state.image_disks.get(image.sha256, 0))
    if flavor.disk < needed:
        return f"image.{image.name} needs {size(needed)} of disk, {flavor.name} has {size(flavor.disk)}"
    return None


def image_room(cloud: Cloud, wanted: Wanted, room: Room) -> str | None:
    """Whether its image may still come in; of one that nobody has seen, not even a byte would have to fit."""
    why = no_room(cloud, cloud.images[wanted.image], room.state)
    return f"its pool is too full for image.{wanted.image}: {why}" if why else None


def no_room(cloud: Cloud, image: Image, there: HostState) -> str:
    """Why the image cannot come in, with numbers; empty where it can, is there, or has begun to arrive."""
    free = tight(there)
    if free < 0 or image.sha256 in there.images or image.sha256 in there.partial:
        return ""
    return shortage(cloud.image_sizes.get(image.sha256, 0), free)


def tight(there: HostState) -> int:
    """Bytes that are free in a pool that may be too full for an image; below 0 of all others."""
    return there.free if there.free < _PLENTY else -1


def raw_size(_cloud: Cloud, wanted: Wanted, room: Room) -> str | None:
    """Overcommit never lets a single instance exceed the physical host."""
    flavor, raw = wanted.takes, room.state.capacity
    if flavor.vcpus > raw.vcpus:
        return f"has {raw.vcpus} CPUs, {flavor.vcpus} wanted"
    if flavor.memory > raw.memory:
        return f"has {size(raw.memory)} of memory, {size(flavor.memory)} wanted"
    if flavor.disk > raw.disk:
        return f"has {size(raw.disk)} of disk, {size(flavor.disk)} wanted"
    return None


def capacity(_cloud: Cloud, wanted: Wanted, room: Room) -> str | None:
    flavor, limit = wanted.takes, room.limit
    if room.vcpus + flavor.vcpus > limit.vcpus:
        return f"needs {flavor.vcpus} vCPUs, {max(0, limit.vcpus - room.vcpus)} free"
    if room.memory + flavor.memory > limit.memory:
        return f"needs {size(flavor.memory)} of memory, {size(max(0, limit.memory - room.memory))} free"
    if room.disk + flavor.disk > limit.disk:
        return f"needs {size(flavor.disk)} of disk, {size(max(0, limit.disk - room.disk))} free"
    return None


def anti_affinity(cloud: Cloud, wanted: Wanted, room: Room) -> str | None:
    if not wanted.where.group:
        return None
    group = cloud.placement_groups[wanted.where.group]
    here = room.members.get(group.name, 0)
    if group.policy != "anti-affinity" or here < group.max_per_host:
        return None
    return f"{group.name} has {'one' if here == 1 else here} there"


def affinity(cloud: Cloud, wanted: Wanted, room: Room, homes: frozenset[str]) -> str | None:
    """`homes` are the hosts that members of the instance's placement group are on."""
    if not wanted.where.group or not homes or room.host.name in homes:
        return None
    group = cloud.placement_groups[wanted.where.group]
    return f"{group.name} is on {', '.join(sorted(homes))}" if group.policy == "affinity" else None


CONSTRAINTS: tuple[Filter, ...] = (state, arch, zone, labels, image_minimum, image_room, raw_size)
"""What placing other instances cannot change, and the host's name neither."""

CHANGING: tuple[Filter, ...] = (capacity, anti_affinity)


def why_not(filters: tuple[Filter, ...], cloud: Cloud, wanted: Wanted, room: Room) -> str | None:
    """The first refusal, or None."""
    for refuses in filters:
        reason = refuses(cloud, wanted, room)
        if reason:
            return reason
    return None


def why_move(cloud: Cloud, wanted: Wanted, room: Room) -> str | None:
    """Why an instance that is on this host may not stay by what the spec says of it."""
    return why_not((explicit_host, arch, zone, labels), cloud, wanted, room)
