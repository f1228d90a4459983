"""`update:` of a base or a placement group into turns: whose restart or replace waits for whose return.

An instance that is down, or of which nobody knows that it is back, counts as unavailable: what this plan starts, and
what runs without having told of its boot, must be back before the first is taken down. Pure; make.py asks here.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cloudsync.model.cloud import Cloud, Update
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Disruption, Roll
from cloudsync.model.resources import Network, Power
from cloudsync.model.step import AwaitInstance
from cloudsync.planner.act import Act, act, disruption
from cloudsync.planner.removals import machine_id
from cloudsync.planner.seen import Pair, Sight
from cloudsync.planner.turns import Turns
from cloudsync.scheduler.homes import Home

Networks = Mapping[str, Network]


@dataclass(frozen=True, slots=True)
class Circle:
    """Instances of which only so many may be unavailable. `pairs` are those that this plan takes down, `at_once` at a
    time, once `gates` are passed."""

    group: str
    update: Update
    at_once: int
    pairs: tuple[Pair, ...]
    gates: tuple[AwaitInstance, ...]


def rolling(cloud: Cloud, sight: Sight, networks: Networks) -> tuple[Turns, tuple[Roll, ...]]:
    """Who moves and who rolls in which order, and the same for a person."""
    circles = tuple(_circles(cloud, sight, networks))
    care: dict[str, list[Circle]] = {}
    for circle in circles:
        for pair in circle.pairs:
            care.setdefault(pair.name, []).append(circle)
    order = {name: at for at, name in enumerate(_in_order(cloud, circles))}
    moves = sorted((pair for pair in sight.pairs if pair.moves), key=lambda pair: (order.get(pair.name, -1), pair.name))
    subjects = {pair.name: pair for circle in circles for pair in circle.pairs}
    there = [subjects[name] for name in order if not subjects[name].moves]
    back = {name: _back(subjects[name], max(one.update.timeout for one in care[name]), networks) for name in order}
    turns = Turns(tuple(moves), _batches(there, care), _chained(circles), back)
    return turns, tuple(_told(circle, order) for circle in circles)


def disturbs(pair: Pair, networks: Networks) -> bool:
    """Whether it is taken down though it is to run on."""
    if pair.wanted is None or pair.wanted.state is not Power.RUNNING or not _up(pair):
        return False
    return pair.replaced or disruption(pair, act(pair, networks), networks) is Disruption.RESTART


def _up(pair: Pair) -> bool:
    """What has no record has no network."""
    return pair.record is not None and pair.machine is not None and pair.machine.power is Power.RUNNING


def _is_back(pair: Pair) -> bool:
    boot = pair.source.boots.get(pair.home.uuid) if pair.home else None
    return boot is not None and boot.told_its_end


def _circles(cloud: Cloud, sight: Sight, networks: Networks) -> Iterator[Circle]:
    """Those that have something to roll."""
    groups = tuple(together(cloud))
    if not groups:
        return
    pairs = {pair.name: pair for pair in sight.pairs if pair.wanted}
    away = {name: home for home, name in sight.away if name}
    down = frozenset(name for name, pair in pairs.items() if disturbs(pair, networks))
    emptied = {pairs[name].source.name for name in down if pairs[name].moves}
    for group, update, members in groups:
        found = tuple(pairs[name] for name in members if name in down)
        if found and len(members) > update.max_unavailable:
            others = [name for name in members if name not in down]
            stuck = [_lost(cloud, away[name], name, found[0], update) for name in others if name in away]
            gates = []
            for pair in (pairs[name] for name in others if name in pairs):
                what = act(pair, networks)
                if _is_stuck(pair, what):
                    stuck.append(_gate(pair, "", update))
                elif _must_come_back(pair, what, emptied):
                    stays = what is Act.NOTHING or (_up(pair) and what is not Act.MOVE)
                    gates.append(_gate(pair, "" if stays else machine_id(pair, what), update))
            left = update.max_unavailable - len(stuck)
            gates += stuck if left < 1 else []
            yield Circle(group, update, left if left > 0 else update.max_unavailable, found, tuple(gates))


def together(cloud: Cloud) -> Iterator[tuple[str, Update, list[str]]]:
    """Bases and placement groups with `update`, and who belongs to each."""
    cared: dict[str, Update] = {}
    members: dict[str, list[str]] = {}
    for name, wanted in cloud.instances.items():
        if wanted.update:
            cared[f"instance.{wanted.base}"] = wanted.update
            members.setdefault(f"instance.{wanted.base}", []).append(name)
        group = cloud.placement_groups.get(wanted.where.group or "")
        if group and group.update:
            cared[f"placement_group.{group.name}"] = group.update
            members.setdefault(f"placement_group.{group.name}", []).append(name)
    for group_name in sorted(cared):
        yield group_name, cared[group_name], sorted(members[group_name])


def _is_stuck(pair: Pair, what: Act) -> bool:
    """It is to run, does not, and this plan does nothing about it."""
    runs = pair.machine is not None and pair.machine.power is Power.RUNNING
    return pair.wanted is not None and pair.wanted.state is Power.RUNNING and not runs and what is Act.NOTHING


def _must_come_back(pair: Pair, what: Act, emptied: Iterable[str]) -> bool:
    """What needs the room of one that rolls away cannot come before it."""
    if pair.wanted is None or pair.wanted.state is not Power.RUNNING:
        return False
    if _up(pair):
        return not _is_back(pair)
    return what is Act.MOVE or pair.host.name not in emptied


def _in_order(cloud: Cloud, circles: Iterable[Circle]) -> list[str]:
    """Those first that may be down already; then by number."""
    found = {pair.name: pair for circle in circles for pair in circle.pairs}
    wanted = cloud.instances
    return sorted(found, key=lambda name: (_is_back(found[name]), wanted[name].base, wanted[name].index))


def _batches(pairs: Iterable[Pair], care: Mapping[str, list[Circle]]) -> tuple[tuple[Pair, ...], ...]:
    """Each in the first in which all its circles have room."""
    found: list[list[Pair]] = []
    taken: list[Counter[str]] = []
    for pair in pairs:
        circles = care[pair.name]
        at = next(
            (at for at, used in enumerate(taken) if all(used[one.group] < one.at_once for one in circles)), len(taken)
        )
        if at == len(taken):
            taken.append(Counter())
            found.append([])
        found[at].append(pair)
        taken[at].update(one.group for one in circles)
    return tuple(tuple(batch) for batch in found)


def _chained(circles: Iterable[Circle]) -> tuple[AwaitInstance, ...]:
    """Each once, one after the other: the first that is not back ends it."""
    found: dict[str, AwaitInstance] = {}
    for circle in circles:
        for gate in circle.gates:
            if gate.id not in found:
                before = (list(found)[-1],) if found else ()
                found[gate.id] = replace(gate, waits_for=(*before, *gate.waits_for))
    return tuple(found.values())


def _back(pair: Pair, timeout: float, networks: Networks) -> AwaitInstance:
    return _gate(pair, machine_id(pair, act(pair, networks)), Update(timeout=timeout))


def _gate(pair: Pair, after: str, update: Update) -> AwaitInstance:
    return AwaitInstance(
        id=f"{pair.host.name}/instance.{pair.name}/await",
        host=pair.host.name,
        address=f"instance.{pair.name}",
        waits_for=(after,) if after else (),
        uuid=pair.wanted.uuid if pair.wanted else "",
        timeout=update.timeout,
    )


def _lost(cloud: Cloud, home: Home, name: str, other: Pair, update: Update) -> AwaitInstance:
    """On a host that cannot be asked; one that left the spec cannot even be called, so another one answers for it."""
    host = home.host if home.host in cloud.hosts else other.host.name
    return AwaitInstance(
        id=f"{host}/instance.{name}/await",
        host=host,
        address=f"instance.{name}",
        uuid=home.uuid,
        timeout=update.timeout,
    )


def _told(circle: Circle, order: Mapping[str, int]) -> Roll:
    names = sorted((pair.name for pair in circle.pairs), key=order.__getitem__)
    awaited = tuple(gate.address.removeprefix("instance.") for gate in circle.gates)
    return Roll(group=circle.group, at_once=circle.at_once, instances=tuple(names), awaited=awaited)
