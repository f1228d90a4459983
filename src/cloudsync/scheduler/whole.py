"""Why a strict placement group has no place: it comes whole or not at all, and how much of it would have one."""

from collections.abc import Collection, Iterable

from cloudsync.model.cloud import PlacementGroup
from cloudsync.scheduler.batch import Batch
from cloudsync.scheduler.unit import Unit
from cloudsync.spec.words import count


def broken(batch: Batch, every: Iterable[Unit], left: Collection[Unit]) -> dict[str, str]:
    """Of each strict group of which some are `left` without a host: what is told of hosts that would take one of it."""
    names = {unit.group.name for unit in left if unit.group and unit.strict}
    groups: dict[str, tuple[PlacementGroup, list[Unit]]] = {}
    for unit in every:
        if unit.group and unit.group.name in names:
            groups.setdefault(unit.group.name, (unit.group, []))[1].append(unit)
    homeless = {unit.name for unit in left}
    return {name: _why(batch, group, units, homeless) for name, (group, units) in groups.items()}


def _why(batch: Batch, group: PlacementGroup, units: list[Unit], homeless: Collection[str]) -> str:
    new = sum(len(unit.members) for unit in units)
    found = sum(len(unit.members) for unit in units if unit.name not in homeless)
    there = batch.members(group.name) - found
    beside = f" beside the {there} that live{'s' * (there == 1)} already" if there else ""
    unlike = {unit.asks: unit for unit in units}.values()
    usable = len({host for unit in unlike for host in batch.able(unit)})
    most = f"at most {group.max_per_host} on each of" if group.policy == "anti-affinity" else "all on one of"
    return (
        f"would do, but {group.name} comes whole or not at all: {found} of {new} wanted found a place{beside}, "
        f"{most} {count(usable, 'usable host')}"
    )
