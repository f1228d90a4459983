"""Preferences among hosts that will do, as Nova weighs them: each is brought to 0..1, weighted and added up."""

from collections.abc import Sequence

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.scheduler.room import Room

Column = list[float]


def vcpus(_cloud: Cloud, _wanted: Wanted, room: Room) -> float:
    return room.limit.vcpus - room.vcpus


def memory(_cloud: Cloud, _wanted: Wanted, room: Room) -> float:
    return room.limit.memory - room.memory


def disk(_cloud: Cloud, _wanted: Wanted, room: Room) -> float:
    return room.limit.disk - room.disk


def image_present(cloud: Cloud, wanted: Wanted, room: Room) -> float:
    return float(cloud.images[wanted.image].sha256 in room.state.images)


def soft_affinity(cloud: Cloud, wanted: Wanted, room: Room) -> float:
    """How many of its group are there; fewer is better for soft-anti-affinity, 0 for the strict policies."""
    group = cloud.placement_groups.get(wanted.where.group or "")
    if group is None or not group.policy.startswith("soft-"):
        return 0.0
    here = room.members.get(group.name, 0)
    return -float(here) if group.policy == "soft-anti-affinity" else float(here)


RESOURCES = {"vcpus": vcpus, "memory": memory, "disk": disk}
"""Scaled by the largest; `pack` turns them round. The others are scaled from smallest to largest."""

OTHERS = {"image_present": image_present, "soft_affinity": soft_affinity}
SCORES = {**RESOURCES, **OTHERS}


def weight(cloud: Cloud, name: str) -> float:
    """The spec's weight, 1 for what it does not weigh; negative for resources when packing."""
    given = cloud.scheduler.weights.get(name, 1.0)
    return -given if name in RESOURCES and cloud.scheduler.strategy == "pack" else given


def scale(name: str, values: Sequence[float]) -> tuple[float, float]:
    """(smallest, span) that bring `values` to 0..1; a span of 0 when they are all equal, and so say nothing."""
    low = 0.0 if name in RESOURCES else min(values)
    return low, max(values) - low
