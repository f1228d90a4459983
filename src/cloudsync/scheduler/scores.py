"""Preferences among hosts that will do: each score is between 0 and 1 and has a weight in the spec."""

from collections.abc import Sequence

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.scheduler.room import Room


def free(taken: int, limit: int) -> float:
    """The share that is left, 0 for a full or empty-sized host."""
    return max(0.0, (limit - taken) / limit) if limit > 0 else 0.0


def score(cloud: Cloud, wanted: Wanted, room: Room) -> float:
    """Higher is better. `spread` prefers what is free, `pack` what is taken."""
    weights, limit = cloud.scheduler.weights, room.limit
    sign = -1.0 if cloud.scheduler.strategy == "pack" else 1.0
    total = sign * weights.get("vcpus", 0) * free(room.vcpus, limit.vcpus)
    total += sign * weights.get("memory", 0) * free(room.memory, limit.memory)
    total += sign * weights.get("disk", 0) * free(room.disk, limit.disk)
    if cloud.images[wanted.image].sha256 in room.state.images:
        total += weights.get("image_present", 0)
    return total + soft_affinity(cloud, wanted, room)


def soft_affinity(cloud: Cloud, wanted: Wanted, room: Room) -> float:
    """Soft policies outweigh the other scores together, but never refuse."""
    if not wanted.where.group:
        return 0.0
    group = cloud.placement_groups[wanted.where.group]
    here = room.members.get(group.name, 0)
    heavy = 10.0 * (1 + sum(abs(weight) for weight in cloud.scheduler.weights.values()))
    if group.policy == "soft-affinity":
        return heavy * min(here, 1)
    return -heavy * here if group.policy == "soft-anti-affinity" else 0.0


def best_first(cloud: Cloud, wanted: Wanted, rooms: Sequence[Room]) -> list[Room]:
    """Best host first, ties by name."""
    return sorted(rooms, key=lambda room: (-round(score(cloud, wanted, room), 9), room.host.name))
