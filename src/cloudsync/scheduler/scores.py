"""Preferences among hosts that will do, each with a weight in the spec; a host's score is their weighted sum.

What a host has is measured against the largest host of the cloud, so that filling one host changes no other's score.
"""

from collections.abc import Iterable, Mapping

from cloudsync.model.cloud import Cloud, Flavor, PlacementGroup
from cloudsync.model.snapshot import Usage
from cloudsync.scheduler.room import Room

WEIGHTS: Mapping[str, float] = {
    "vcpus": 1.0,
    "memory": 1.0,
    "disk": 0.5,
    "image_present": 0.5,
    "soft_affinity": 1.0,
    "moves": 1.0,
}
"""For what the spec does not weigh."""


def weight(cloud: Cloud, name: str) -> float:
    return cloud.scheduler.weights.get(name, WEIGHTS[name])


def largest(rooms: Iterable[Room]) -> Usage:
    """The most that any host has of each resource; never 0."""
    limits = [room.limit for room in rooms]
    return Usage(
        vcpus=max([1, *(one.vcpus for one in limits)]),
        memory=max([1, *(one.memory for one in limits)]),
        disk=max([1, *(one.disk for one in limits)]),
    )


class Load:
    """`spread` prefers the host with most room, `pack` the fullest that will do: machines of others count."""

    def __init__(self, cloud: Cloud, rooms: Iterable[Room]) -> None:
        self._pack = cloud.scheduler.strategy == "pack"
        self._vcpus, self._memory, self._disk = (weight(cloud, name) for name in ("vcpus", "memory", "disk"))
        self._most = largest(rooms)

    def score(self, room: Room) -> float:
        if self._pack:
            return round(self.share(room), 9)
        limit, most = room.limit, self._most
        return round(
            self._vcpus * (limit.vcpus - room.vcpus) / most.vcpus
            + self._memory * (limit.memory - room.memory) / most.memory
            + self._disk * (limit.disk - room.disk) / most.disk,
            9,
        )

    def of(self, takes: Flavor) -> float:
        """By how much an instance brings the score of its host down under `spread`; never 0."""
        most = self._most
        part = self._vcpus * takes.vcpus / most.vcpus + self._memory * takes.memory / most.memory
        return part + self._disk * takes.disk / most.disk or 1.0

    def share(self, room: Room) -> float:
        """How full it is: the weighted sum of what is taken of what may be."""
        limit = room.limit
        return (
            self._vcpus * room.vcpus / max(1, limit.vcpus)
            + self._memory * room.memory / max(1, limit.memory)
            + self._disk * room.disk / max(1, limit.disk)
        )

    def full(self, room: Room) -> float:
        """Its share of what a host has that is full in all respects: 1 then."""
        return self.share(room) / (self._vcpus + self._memory + self._disk or 1.0)


def image_present(sha256: str, room: Room) -> float:
    """Counts for as much as the instance itself takes, not a whole host: by half of that, the usual weight, hosts that
    differ by less than half of it are equals, and none takes a second one before its equals have a first."""
    return float(sha256 in room.state.images)


def soft_affinity(group: PlacementGroup, room: Room) -> float:
    """How many of its group are there: each counts for as much as a whole empty host; 0 for the strict policies."""
    here = room.members.get(group.name, 0)
    return {"soft-affinity": float(here), "soft-anti-affinity": -float(here)}.get(group.policy, 0.0)
