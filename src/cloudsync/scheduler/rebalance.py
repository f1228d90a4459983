"""Moves that would serve the cloud's strategy better: few, each allowed when its turn comes. It only proposes."""

from collections.abc import Iterable, Iterator

from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.snapshot import HostStatus, Snapshot
from cloudsync.scheduler.batch import Batch
from cloudsync.scheduler.loss import Where
from cloudsync.scheduler.scores import weight
from cloudsync.scheduler.standing import standing
from cloudsync.scheduler.unit import Unit, units

_POINTS = 0.1
_OF_MEAN = 0.2
"""How much fuller a host has to be than another for a move to pay at a weight of 1: so much of its whole, or of how
full hosts are on the average where that is less. Small instances never make the first."""
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Move:
    instance: str
    source: str
    target: str
    why: str


def rebalance(cloud: Cloud, snapshot: Snapshot, where: Where) -> tuple[Move, ...]:
    """In the order in which they can be made. What names its host, what is on a host that cannot be asked, and groups
    that must be together stay where they are."""
    hosts = standing(cloud, snapshot)
    batch = Batch(cloud, hosts, [(cloud.instances[name], host) for name, host in sorted(where.items())])
    on: dict[str, dict[str, Unit]] = {name: {} for name in hosts}
    for unit in units(cloud, (cloud.instances[name] for name in sorted(where))):
        paused = any(one.base in cloud.paused for one in unit.members)
        if not (unit.pin or paused) and not (unit.group and unit.group.policy == "affinity"):
            on[where[unit.name]][unit.name] = unit
    ready = [name for name, host in hosts.items() if host.status is HostStatus.READY]
    plan = _emptied if cloud.scheduler.strategy == "pack" else _evened
    return tuple(plan(batch, on, ready))


def _evened(batch: Batch, on: dict[str, dict[str, Unit]], ready: list[str]) -> Iterator[Move]:
    """From the fullest host, as long as it is fuller than another by more than a move costs and the move helps. Of
    those that help alike, one that the spec can give a host alone goes first."""
    stuck: set[str] = set()
    for _ in range(_MOST):
        open_to = [name for name in ready if name not in stuck and on[name]]
        if not open_to:
            return
        least = _least(batch, ready)
        source = max(open_to, key=lambda name: (_share(batch, name), name))
        gains = _gains(batch, source, on[source].values(), ready)
        pays = (one for one in gains if one[0] > 1e-9 and _share(batch, source) - _share(batch, one[2]) > least)
        found = max(pays, default=None, key=lambda one: (one[0], not batch.cloud.instances[one[1]].index, one[1]))
        if found is None:
            stuck.add(source)
            continue
        _, name, target = found
        before = _share(batch, source), _share(batch, target)
        _move(batch, on, on[source][name], source, target)
        stuck.clear()
        after = _share(batch, source), _share(batch, target)
        why = f"{source} {_told(before[0], after[0])} full, {target} {_told(before[1], after[1])}"
        yield Move(name, source, target, why)


def _told(before: float, after: float) -> str:
    """In whole percents, unless they would not differ."""
    whole = f"{before:.0%}", f"{after:.0%}"
    return " → ".join(whole if whole[0] != whole[1] else (f"{before:.1%}", f"{after:.1%}"))


def _least(batch: Batch, ready: list[str]) -> float:
    mean = sum(_share(batch, name) for name in ready) / len(ready) if ready else 0.0
    return min(_POINTS, _OF_MEAN * mean) * weight(batch.cloud, "moves")


def _gains(batch: Batch, source: str, here: Iterable[Unit], ready: list[str]) -> Iterator[tuple[float, str, str]]:
    """By how much each instance's move to the emptiest host that will do brings the fuller of the two down."""
    full = _share(batch, source)
    for unit in list(here):
        batch.lift(unit, source)
        emptied = _share(batch, source)
        target, _ = batch.best(unit, {source})
        keeps = batch.better(unit, target, source) if target else False
        batch.seat(unit, source)
        if target and target in ready and keeps:
            batch.seat(unit, target)
            gain = full - max(emptied, _share(batch, target))
            batch.lift(unit, target)
            yield gain, unit.name, target


def _emptied(batch: Batch, on: dict[str, dict[str, Unit]], ready: list[str]) -> Iterator[Move]:
    """Hosts whose instances all fit on others in use, the emptiest first."""
    for source in sorted((name for name in ready if on[name]), key=lambda name: (_share(batch, name), name)):
        here = sorted(on[source].values(), key=lambda unit: (-unit.whole.flavor.memory, unit.name))
        shut = {source, *(name for name, room in batch.rooms.items() if not (room.vcpus or room.memory))}
        moved: list[tuple[Unit, str]] = []
        alone = batch.rooms[source].memory == sum(unit.whole.flavor.memory for unit in here)
        for unit in here if alone else ():
            target, _ = batch.best(unit, shut)
            if target is None:
                break
            _move(batch, on, unit, source, target)
            moved.append((unit, target))
        if len(moved) == len(here):
            yield from (Move(unit.name, source, target, f"empties {source}") for unit, target in moved)
        else:
            for unit, target in moved:
                _move(batch, on, unit, target, source)


def _move(batch: Batch, on: dict[str, dict[str, Unit]], unit: Unit, source: str, target: str) -> None:
    batch.lift(unit, source)
    batch.seat(unit, target)
    del on[source][unit.name]
    on[target][unit.name] = unit


def _share(batch: Batch, host: str) -> float:
    return batch.load.full(batch.rooms[host])
