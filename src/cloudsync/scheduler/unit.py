"""What goes to one host together: an instance, or all new members of a group with strict affinity."""

from collections.abc import Hashable, Iterable
from dataclasses import field, replace

from cloudsync.model.cloud import Cloud, Flavor, PlacementGroup, Wanted
from cloudsync.model.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """`whole` stands for all its `members` where room is counted; `asks` is equal for units that hosts treat alike.

    `pin` is the host that the spec names.
    """

    members: tuple[Wanted, ...]
    whole: Wanted
    group: PlacementGroup | None
    asks: Hashable = field(repr=False)
    pin: str | None

    @property
    def name(self) -> str:
        return self.members[0].name

    @property
    def strict(self) -> bool:
        return self.group is not None and self.group.strict


def units(cloud: Cloud, wanted: Iterable[Wanted]) -> list[Unit]:
    """Hardest first: what is pinned, then strict groups, then the largest; ties by name."""
    alone: list[Unit] = []
    together: dict[str, list[Wanted]] = {}
    for one in wanted:
        group = cloud.placement_groups.get(one.where.group or "")
        if group and group.policy == "affinity":
            together.setdefault(group.name, []).append(one)
        else:
            alone.append(Unit((one,), one, group, asks(one), one.where.host))
    alone += [_bundle(cloud.placement_groups[name], members) for name, members in together.items()]
    return sorted(alone, key=_hardest_first)


def asks(wanted: Wanted) -> Hashable:
    """All of an instance that a host cares about, but its name."""
    where, flavor = wanted.where, wanted.takes
    labels = frozenset(where.labels.items())
    return (wanted.image, flavor.vcpus, flavor.memory, flavor.disk, where.host, where.zone, labels, where.group)


def _bundle(group: PlacementGroup, wanted: list[Wanted]) -> Unit:
    members = tuple(sorted(wanted, key=lambda one: one.name))
    flavors = [one.takes for one in members]
    total = Flavor(
        name=" + ".join(dict.fromkeys(flavor.name for flavor in flavors)),
        vcpus=sum(flavor.vcpus for flavor in flavors),
        memory=sum(flavor.memory for flavor in flavors),
        disk=sum(flavor.disk for flavor in flavors),
    )
    pin = next((one.where.host for one in members if one.where.host), None)
    return Unit(members, replace(members[0], flavor=total, disks=()), group, tuple(asks(one) for one in members), pin)


def _hardest_first(unit: Unit) -> tuple[int, int, int, int, int, str]:
    flavor = unit.whole.takes
    pinned, strict = unit.pin is not None, unit.strict
    return (int(not pinned), int(not strict), -flavor.memory, -flavor.vcpus, -flavor.disk, unit.name)
