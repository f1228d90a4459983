"""How much of each host is taken, kept up to date while instances are placed one after the other."""

from collections.abc import Iterable
from dataclasses import field

from cloudsync.model.cloud import Host, Wanted
from cloudsync.model.dataclass import dataclass
from cloudsync.model.snapshot import HostState, Usage
from cloudsync.model.spare import SPARE


@dataclass(slots=True)
class Room:
    """One host while a batch is placed. `limit` is what may be taken; `members` counts instances by placement group."""

    host: Host
    state: HostState
    limit: Usage
    vcpus: int
    memory: int
    disk: int
    members: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, host: Host, state: HostState) -> "Room":
        """Only machines that are not ours take room at first: ours are added as they keep or find their place."""
        return cls(host, state, limit(host, state), state.foreign.vcpus, state.foreign.memory, state.foreign.disk)

    def take(self, wanted: Wanted) -> None:
        """Count an instance in."""
        self._count(wanted, 1)

    def release(self, wanted: Wanted) -> None:
        """Count an instance out again."""
        self._count(wanted, -1)

    def _count(self, wanted: Wanted, sign: int) -> None:
        flavor, group = wanted.takes, wanted.where.group
        self.vcpus += sign * flavor.vcpus
        self.memory += sign * flavor.memory
        self.disk += sign * flavor.disk
        if group:
            self.members[group] = self.members.get(group, 0) + sign


def limit(host: Host, state: HostState) -> Usage:
    """Raw capacity less what is reserved, times the overcommit, as Nova's Placement counts. Of the disk some always
    is: what stays free."""
    raw, kept, ratio = state.capacity, host.reserved, host.overcommit
    return Usage(
        vcpus=int((raw.vcpus - kept.vcpus) * ratio.vcpus),
        memory=int((raw.memory - kept.memory) * ratio.memory),
        disk=max(0, int((raw.disk - max(kept.disk, SPARE)) * ratio.disk)),
    )


def least(rooms: Iterable[Room], known: Usage | None = None) -> Usage:
    """The least that is free of each resource in any of `rooms`, and no more than what is `known` of others."""
    found = known or Usage(vcpus=1 << 62, memory=1 << 62, disk=1 << 62)
    vcpus, memory, disk = found.vcpus, found.memory, found.disk
    for room in rooms:
        vcpus = min(vcpus, room.limit.vcpus - room.vcpus)
        memory = min(memory, room.limit.memory - room.memory)
        disk = min(disk, room.limit.disk - room.disk)
    return Usage(vcpus=vcpus, memory=memory, disk=disk)
