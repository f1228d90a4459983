"""How much of each host is taken, kept up to date while instances are placed one after the other."""

from dataclasses import dataclass, field

from cloudsync.model.cloud import Host, Wanted
from cloudsync.model.snapshot import HostState, Usage


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
        self.vcpus += wanted.flavor.vcpus
        self.memory += wanted.flavor.memory
        self.disk += wanted.flavor.disk
        if wanted.where.group:
            self.members[wanted.where.group] = self.members.get(wanted.where.group, 0) + 1


def limit(host: Host, state: HostState) -> Usage:
    """Raw capacity less what is reserved, times the overcommit, as Nova's Placement counts."""
    raw, kept, ratio = state.capacity, host.reserved, host.overcommit
    return Usage(
        vcpus=int((raw.vcpus - kept.vcpus) * ratio.vcpus),
        memory=int((raw.memory - kept.memory) * ratio.memory),
        disk=int((raw.disk - kept.disk) * ratio.disk),
    )
