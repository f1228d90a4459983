"""What hosts answer to units that ask for the same. Only hosts that were filled or emptied since are asked again."""

from collections.abc import Iterable, Mapping
from dataclasses import field

from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.snapshot import Usage
from cloudsync.scheduler.filters import CHANGING, CONSTRAINTS, affinity, explicit_host, state, tight, why_not
from cloudsync.scheduler.room import Room
from cloudsync.scheduler.unit import Unit

Rooms = Mapping[str, Room]


class Kinds:
    """Hosts of one kind differ in nothing that the constraints look at: `of` is each host's, `hosts` each kind's."""

    def __init__(self, rooms: Rooms) -> None:
        known: dict[object, int] = {}
        self.of: dict[str, int] = {}
        self.hosts: list[list[str]] = []
        for name, room in rooms.items():
            host, there = room.host, room.state
            looks = (there.status, there.arch, host.zone, there.capacity, frozenset(host.labels.items()))
            images = (tight(there), there.partial, frozenset(there.image_disks.items()))
            kind = self.of[name] = known.setdefault((looks, images), len(known))
            if kind == len(self.hosts):
                self.hosts.append([])
            self.hosts[kind].append(name)


@dataclass(slots=True)
class Ask:
    """`fixed` refusals are by kind of host, of `never` hosts in all; `now` those by its name that may change.

    `told` is how much of what was filled it has taken in, `image` what a host scores that has its image.
    """

    unit: Unit
    kinds: Kinds
    fixed: Mapping[int, str]
    never: int
    now: dict[str, str] = field(default_factory=dict)
    told: int = 0
    image: float = 0.0

    @classmethod
    def of(cls, cloud: Cloud, unit: Unit, kinds: Kinds, rooms: Rooms) -> "Ask":
        found = {kind: _never(cloud, unit, rooms[names[0]]) for kind, names in enumerate(kinds.hosts)}
        fixed = {kind: reason for kind, reason in found.items() if reason}
        return cls(unit, kinds, fixed, sum(len(kinds.hosts[kind]) for kind in fixed))

    def begin(self, cloud: Cloud, rooms: Rooms, least: Usage, members_on: Iterable[str]) -> None:
        """Look at every host that may have less room than it takes, and at those that have members of its group.

        Every host has `least` free.
        """
        flavor = self.unit.whole.takes
        roomy = flavor.vcpus <= least.vcpus and flavor.memory <= least.memory and flavor.disk <= least.disk
        tight = (
            ()
            if roomy
            else [name for kind, names in enumerate(self.kinds.hosts) if kind not in self.fixed for name in names]
        )
        self.look_again(cloud, rooms, [*tight, *members_on])

    def look_again(self, cloud: Cloud, rooms: Rooms, names: Iterable[str]) -> None:
        """These hosts were filled or emptied."""
        for name in names:
            if self.kinds.of[name] in self.fixed:
                continue
            reason = why_not(CHANGING, cloud, self.unit.whole, rooms[name])
            if reason:
                self.now[name] = reason
            else:
                self.now.pop(name, None)

    def refuses(self, name: str) -> str | None:
        return self.fixed.get(self.kinds.of[name]) or self.now.get(name)

    def elsewhere(self, cloud: Cloud, room: Room, homes: frozenset[str]) -> str | None:
        """A host that is not the one it has to go to."""
        if self.unit.pin and self.unit.pin != room.host.name:
            return state(cloud, self.unit.whole, room) or _pinned(cloud, self.unit, room)
        return affinity(cloud, self.unit.whole, room, homes) if homes else None


def _never(cloud: Cloud, unit: Unit, room: Room) -> str | None:
    return next((reason for one in unit.members if (reason := why_not(CONSTRAINTS, cloud, one, room))), None)


def _pinned(cloud: Cloud, unit: Unit, room: Room) -> str | None:
    return next((reason for one in unit.members if (reason := explicit_host(cloud, one, room))), None)
