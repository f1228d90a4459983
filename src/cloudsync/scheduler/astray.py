"""Living members of strict placement groups that break them: who may stay, and why the others have to leave."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from cloudsync.model.address import numbered
from cloudsync.model.cloud import Cloud, PlacementGroup, Wanted
from cloudsync.model.dataclass import dataclass

Hosts = Mapping[str, str]
"""Instances and their hosts."""


@dataclass(frozen=True, slots=True)
class Astray:
    """`why` has those that leave, `homes` the host that a group comes together on which is not on that host alone."""

    why: Mapping[str, str]
    homes: Mapping[str, str]


def astray(cloud: Cloud, there: Hosts, leaving: Collection[str], bound: Collection[str]) -> Astray:
    """Of those that are `there`, some are `leaving` and some `bound` to stay, whatever their group says."""
    why: dict[str, str] = {}
    homes: dict[str, str] = {}
    for name, members in _members(cloud, there).items():
        group, staying = cloud.placement_groups[name], [one for one in members if one.name not in leaving]
        if group.policy == "anti-affinity":
            why.update(_too_many(group, staying, there, bound))
        elif staying:
            pinned = _pinned(members, there, leaving)
            on = Counter(there[one.name] for one in staying)
            home = min(pinned or on, key=lambda host: (-on[host], host))
            if on.keys() != {home}:
                homes[name] = home
                said = f"the spec says host.{home}" if pinned else f"{on[home]} of {len(staying)} live on {home}"
                gone = (one.name for one in staying if there[one.name] != home and one.name not in bound)
                why.update((one, f"{name} keeps together, and {said}") for one in gone)
    return Astray(why, homes)


def _members(cloud: Cloud, there: Hosts) -> dict[str, list[Wanted]]:
    """Of each strict group."""
    strict = {name for name, group in cloud.placement_groups.items() if group.strict}
    found: dict[str, list[Wanted]] = {}
    for name in there:
        group = cloud.instances[name].where.group
        if group in strict:
            found.setdefault(group, []).append(cloud.instances[name])
    return found


def _pinned(members: list[Wanted], there: Hosts, leaving: Collection[str]) -> set[str]:
    """Hosts that the spec names for members which are there, or leave for them."""
    named = ((one.name, one.where.host) for one in members if one.where.host)
    return {host for name, host in named if (name in leaving) != (there[name] == host)}


def _too_many(
    group: PlacementGroup, staying: list[Wanted], there: Hosts, bound: Collection[str]
) -> Iterator[tuple[str, str]]:
    """What is bound stays, then what the spec wants there, then the first by name."""
    by_host: dict[str, list[Wanted]] = {}
    for one in staying:
        by_host.setdefault(there[one.name], []).append(one)
    for host, here in by_host.items():
        if len(here) <= group.max_per_host:
            continue
        here.sort(key=lambda one: (one.name not in bound, one.where.host != host, numbered(one.name)))
        why = f"{group.name} allows {group.max_per_host} there, and {len(here)} live there"
        yield from ((one.name, why) for one in here[group.max_per_host :] if one.name not in bound)
