"""What somebody changed on the hosts, as changes of the spec that would say the same. `plan --absorb` tries them. Pure.

Sizes and power states of instances, and rules of groups. A counted instance is one entry of the spec, so all that is
counted must have been changed alike.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.dataclass import dataclass
from cloudsync.model.resources import Power, Rule
from cloudsync.model.size import size
from cloudsync.model.snapshot import Drift, HostState, Snapshot
from cloudsync.scheduler.homes import Home, find_homes
from cloudsync.scheduler.standing import standing
from cloudsync.spec.change import Edit, Put
from cloudsync.spec.document import Document
from cloudsync.spec.normal import normal
from cloudsync.spec.restored import restored
from cloudsync.spec.sized import flavored

Edits = Callable[[Document], tuple[Edit, ...] | None]
"""None where the spec cannot say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """`addresses` drifted, `words` say how. `edits` make them so in a spec; `refused` is why nothing can. With them
    `group` has exactly `rules`."""

    addresses: tuple[str, ...]
    words: str
    edits: Edits | None = None
    refused: str = ""
    group: str = ""
    rules: tuple[Rule, ...] = field(default=())


def candidates(cloud: Cloud, snapshot: Snapshot) -> Iterator[Candidate]:
    """In the order of the spec."""
    states = standing(cloud, snapshot)
    homes = find_homes(cloud, states).of
    bases: dict[str, list[Wanted]] = {}
    for wanted in cloud.instances.values():
        bases.setdefault(wanted.base, []).append(wanted)
    for base, members in bases.items():
        yield from _sizes(base, members, homes)
        yield from _powers(base, members, homes)
    yield from _rules(cloud, states)


def _sizes(base: str, members: list[Wanted], homes: Mapping[str, Home]) -> Iterator[Candidate]:
    now = {one.name: _size(homes.get(one.name)) for one in members}
    before = {one.name: _recorded(homes.get(one.name)) for one in members}
    moved = tuple(name for name in now if now[name] and before[name] and now[name] != before[name])
    if not moved:
        return
    found = next(iter(now.values()))
    flavor = members[0].flavor
    addresses = tuple(f"instance.{name}" for name in moved)
    if len(set(now.values())) > 1 or found is None:
        yield Candidate(addresses=addresses, words="its size", refused=_unlike(base))
    elif any(before[name] != (flavor.vcpus, flavor.memory) for name in moved):
        yield Candidate(addresses=addresses, words="its size", refused="the spec gives it another size too")
    else:
        words = f"{found[0]} vcpus, {size(found[1])}"
        yield Candidate(addresses=addresses, words=words, edits=lambda document: flavored(document, base, *found))


def _powers(base: str, members: list[Wanted], homes: Mapping[str, Home]) -> Iterator[Candidate]:
    now = {one.name: _power(homes.get(one.name)) for one in members}
    moved = [
        one
        for one in members
        if (home := homes.get(one.name)) and home.record and now[one.name] not in (None, home.record.state)
    ]
    if not moved:
        return
    addresses = tuple(f"instance.{one.name}" for one in moved)
    found = now[moved[0].name]
    if len(set(now.values())) > 1 or found is None:
        yield Candidate(addresses=addresses, words="its power state", refused=_unlike(base))
    elif found not in (Power.RUNNING, Power.STOPPED):
        yield Candidate(addresses=addresses, words=found.value, refused=f"the spec has no word for {found.value}")
    else:
        edit = Put(("instances", base), "state", found.value, after="flavor")
        yield Candidate(addresses=addresses, words=found.value, edits=_always((edit,)))


def _rules(cloud: Cloud, states: Mapping[str, HostState]) -> Iterator[Candidate]:
    told: dict[str, list[tuple[HostState, Drift]]] = {}
    for host in states.values():
        for one in host.drift if host.reachable else ():
            if one.added or one.removed:
                told.setdefault(one.address.removeprefix("group."), []).append((host, one))
    for name, found in told.items():
        group = cloud.groups.get(name)
        recorded = {host.document.groups[name].rules for host, _ in found if host.document}
        address = (f"group.{name}",)
        if group is None or recorded != {group.rules}:
            yield Candidate(addresses=address, words="its rules", refused="the spec changes this group too")
            continue
        added = {one.added for _, one in found if one.added}
        removed = {one.removed for _, one in found if one.removed}
        target = normal((set(group.rules) - removed) | added)
        yield Candidate(
            addresses=address,
            words="; ".join(sorted({one.message for _, one in found})),
            edits=_always(restored(name, cloud.written[name], target)),
            group=name,
            rules=target,
        )


def _always(edits: tuple[Edit, ...]) -> Edits:
    return lambda _: edits


def _unlike(base: str) -> str:
    return f"the members of {base} are not alike, or not all can be asked, and one entry of the spec stands for all"


def _size(home: Home | None) -> tuple[int, int] | None:
    """What it has, or is to have when it is started again."""
    if home is None or home.machine is None:
        return None
    kept = home.machine.traces
    return kept.vcpus or home.machine.vcpus, kept.memory or home.machine.memory


def _recorded(home: Home | None) -> tuple[int, int] | None:
    return (home.record.vcpus, home.record.memory) if home and home.record else None


def _power(home: Home | None) -> Power | None:
    return home.machine.power if home and home.machine else None
