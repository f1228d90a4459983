"""Why a strict placement group has no place: it comes whole or not at all, and how much of it would have one."""

from collections.abc import Collection, Iterable

from cloudsync.scheduler.batch import Batch
from cloudsync.scheduler.unit import Unit


def broken(batch: Batch, every: Iterable[Unit], left: Collection[Unit]) -> dict[str, str]:
    """Of each strict group of which some are `left` without a host: what is told of hosts that would take one of it."""
    names = {unit.group.name for unit in left if unit.group and unit.strict}
    groups: dict[str, list[Unit]] = {name: [] for name in names}
    for unit in every:
        if unit.group and unit.group.name in names:
            groups[unit.group.name].append(unit)
    homeless = {unit.name for unit in left}
    return {name: _why(batch, units, homeless) for name, units in groups.items()}


def _why(batch: Batch, units: list[Unit], homeless: Collection[str]) -> str:
    group = units[0].group
    if group is None:
        return ""
    new = sum(len(unit.members) for unit in units)
    found = sum(len(unit.members) for unit in units if unit.name not in homeless)
    there = batch.members(group.name) - found
    beside = f" beside the {there} that live{'s' * (there == 1)} already" if there else ""
    usable = len({host for unit in _unlike(units) for host in batch.able(unit)})
    most = f"at most {group.max_per_host} on each of" if group.policy == "anti-affinity" else "all on one of"
    return (
        f"would do, but {group.name} comes whole or not at all: {found} of {new} wanted found a place{beside}, "
        f"{most} {usable} usable host{'s' * (usable != 1)}"
    )


def _unlike(units: Iterable[Unit]) -> Iterable[Unit]:
    """One of those that ask for the same."""
    return {unit.asks: unit for unit in units}.values()
