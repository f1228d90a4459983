"""Who runs where: what is placed stays; the rest finds the best host that will do, and every refusal is told."""

from collections.abc import Hashable, Iterable, Mapping

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Placement, Unplaced
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot
from cloudsync.scheduler import whole
from cloudsync.scheduler.astray import astray
from cloudsync.scheduler.batch import Batch
from cloudsync.scheduler.filters import why_move
from cloudsync.scheduler.homes import Home, Homes, find_homes
from cloudsync.scheduler.pack import pack
from cloudsync.scheduler.repair import Seats
from cloudsync.scheduler.room import Room
from cloudsync.scheduler.search import UNITS, search
from cloudsync.scheduler.standing import standing
from cloudsync.scheduler.unit import Unit, units

Placements = tuple[Placement, ...]


def place(cloud: Cloud, snapshot: Snapshot) -> tuple[Placements, tuple[Unplaced, ...]]:
    """Placements of all wanted instances that have a host, in name order, and those that found none. One that should
    leave its host and cannot is in both.

    The same input gives the same answer, whatever order its maps are in. The new members of a strict placement group
    are placed all or none of them: a half of what must be apart, or together, is not what was asked for. Members that
    live already stay whatever becomes of the new ones, unless they break the group themselves.
    """
    hosts = standing(cloud, snapshot)
    homes = find_homes(cloud, hosts)
    rooms = {name: Room.of(cloud.hosts[name], state) for name, state in hosts.items()}
    unplaced: dict[str, Unplaced] = {}
    new: list[Wanted] = []
    there: dict[str, str] = {}
    why: dict[str, str] = {}
    bound: set[str] = set()
    for name, wanted in sorted(cloud.instances.items()):
        home = homes.of.get(name)
        if home is None:
            new += [] if _waits(cloud, wanted, homes) else [wanted]
        elif home.host in hosts:
            there[name] = home.host
            if _bound(cloud, wanted, home, rooms[home.host]):
                bound.add(name)
            elif reason := _must_leave(cloud, wanted, rooms[home.host]):
                why[name] = reason
        else:
            unplaced[name] = _stranded(name, home)
    strays = astray(cloud, there, why, bound)
    # What a plan leaves out stays, and nothing else goes in its place.
    leaving = {name: (there[name], said) for name, said in {**why, **strays.why}.items() if name not in cloud.held}
    living = [(cloud.instances[name], host) for name, host in there.items() if name not in leaving]
    placed = {one.name: Placement(instance=one.name, host=host) for one, host in living}
    blind = _blind(hosts)
    if blind:
        unplaced.update({one.name: Unplaced(instance=one.name, refusals=blind) for one in new})
        new = []
    if new or leaving:
        batch = Batch(cloud, hosts, living, strays.homes)
        _moved(cloud, batch, leaving, placed, unplaced)
        answer = find(batch, units(cloud, new))
        placed.update(answer.placed)
        unplaced.update(answer.unplaced)
    return tuple(placed[name] for name in sorted(placed)), tuple(unplaced[name] for name in sorted(unplaced))


def _waits(cloud: Cloud, wanted: Wanted, homes: Homes) -> bool:
    """What is paused is not made. What a person gives up with its host is for the planner to refuse."""
    return wanted.base in cloud.paused and wanted.name not in homes.lost


def _bound(cloud: Cloud, wanted: Wanted, home: Home, room: Room) -> bool:
    """What cannot be asked, or is paused, is left alone."""
    return not home.known or not room.state.reachable or wanted.base in cloud.paused


def _must_leave(cloud: Cloud, wanted: Wanted, room: Room) -> str:
    """Why an instance may not stay where it is; empty when it may."""
    return "drained" if room.state.status is HostStatus.DRAINED else why_move(cloud, wanted, room) or ""


def _moved(
    cloud: Cloud,
    batch: Batch,
    leaving: Mapping[str, tuple[str, str]],
    placed: dict[str, Placement],
    unplaced: dict[str, Unplaced],
) -> None:
    """Each finds another host, or stays where it is and is named; `leaving` has that host and why it may not stay.

    Where one has to stay, others may have been counting on its going: then they are placed once more beside it.
    """
    going = list(leaving)
    while going:
        answer = find(batch, units(cloud, [cloud.instances[name] for name in going]), whole_groups=False)
        for name, one in answer.unplaced.items():
            host, why = leaving[name]
            batch.take(cloud.instances[name], host)
            placed[name] = Placement(instance=name, host=host)
            unplaced[name] = Unplaced(instance=name, refusals={**one.refusals, host: why}, host=host)
        if not {one.host for one in answer.placed.values()} & {leaving[name][0] for name in answer.unplaced}:
            placed.update(answer.placed)
            return
        for name, found in answer.placed.items():
            batch.release(cloud.instances[name], found.host)
        going = list(answer.placed)


@dataclass(frozen=True, slots=True)
class Answer:
    placed: Mapping[str, Placement]
    unplaced: Mapping[str, Unplaced]


def find(batch: Batch, wanted: Iterable[Unit], whole_groups: bool = True) -> Answer:
    """Places for all units together, counted in `batch` from then on. `wanted` stand hardest first.

    Unless `whole_groups`, some of a strict group are better than none.
    """
    seats, every = Seats(batch), list(wanted)
    told, left = _tried(seats, every)
    broken = whole.broken(batch, every, left) if whole_groups and left else {}
    withdrawn = [unit for unit in every if unit.strict and unit.group and unit.group.name in broken]
    for unit in withdrawn:
        seats.rise(unit)
    if withdrawn:
        seats.repaired([unit for unit in left if unit not in withdrawn])
    pack(seats, every)
    lines: dict[str, Placement] = {}
    for unit in every:
        host, line = seats.host.get(unit.name), told[unit.name]
        if host:
            lines.update(_lines(unit, line if line and line.host == host else _line(batch, unit, host)))
    return Answer(lines, _without(seats, every, broken))


Told = dict[str, Placement | None]
_AGAIN = 3
"""How often a batch is placed anew with what found no place before all the others."""


def _tried(seats: Seats, every: list[Unit]) -> tuple[Told, list[Unit]]:
    """What was said as each was placed, and what has no place even when all were placed anew."""
    told, left = _once(seats, every)
    if left and len(every) <= UNITS:
        mark = seats.mark()
        for unit in every:
            seats.rise(unit)
        found = search(seats.batch, every)
        if found is not None:
            for unit in every:
                seats.sit(unit, found[unit.name])
            return told, []
        seats.back_to(mark)
    return _in_turn(seats, every, told, left)


def _in_turn(seats: Seats, order: list[Unit], told: Told, left: list[Unit]) -> tuple[Told, list[Unit]]:
    """What found no place goes first, as long as that gives more a place: few hosts may take what many others fill."""
    for _ in range(_AGAIN):
        first = {unit.asks for unit in left if any(seats.batch.able(unit))}
        other = sorted(order, key=lambda unit: (unit.pin is None, unit.asks not in first))
        if other == order:
            break
        mark = seats.mark()
        for unit in order:
            seats.rise(unit)
        retold, remaining = _once(seats, other)
        if _instances(remaining) >= _instances(left):
            seats.back_to(mark)
            break
        order, told, left = other, retold, remaining
    return told, left


def _instances(some: list[Unit]) -> int:
    return sum(len(unit.members) for unit in some)


def _once(seats: Seats, order: list[Unit]) -> tuple[Told, list[Unit]]:
    told: Told = {unit.name: _greedy(seats, unit) for unit in order}
    return told, seats.repaired([unit for unit in order if unit.name not in seats.host])


def _greedy(seats: Seats, unit: Unit) -> Placement | None:
    """The best host now."""
    first, second = seats.batch.best(unit)
    if first is None:
        return None
    refusals, count = seats.batch.told(unit)
    seats.sit(unit, first)
    return Placement(instance=unit.name, host=first, runner_up=second, refusals=refusals, refusing=count)


def _line(batch: Batch, unit: Unit, host: str) -> Placement:
    """As things stand in the end, for what was moved about."""
    batch.lift(unit, host)
    first, second = batch.best(unit)
    refusals, count = batch.told(unit)
    batch.seat(unit, host)
    other = second if first == host else first
    return Placement(instance=unit.name, host=host, runner_up=other, refusals=refusals, refusing=count)


def _lines(unit: Unit, line: Placement) -> dict[str, Placement]:
    return {
        one.name: Placement(
            instance=one.name,
            host=line.host,
            runner_up=line.runner_up,
            refusals=line.refusals,
            refusing=line.refusing,
        )
        for one in unit.members
    }


def _without(seats: Seats, every: list[Unit], broken: Mapping[str, str]) -> dict[str, Unplaced]:
    """Those that have no place; of a strict group, also those that had one before others of it found none."""
    shared: dict[Hashable, dict[str, str]] = {}
    found = {}
    for unit in every:
        if unit.name in seats.host:
            continue
        if unit.asks not in shared:
            shared[unit.asks] = _refusals(seats.batch, unit, broken)
        for one in unit.members:
            found[one.name] = Unplaced(instance=one.name, refusals=shared[unit.asks])
    return found


def _refusals(batch: Batch, unit: Unit, broken: Mapping[str, str]) -> dict[str, str]:
    found = batch.refusals(unit)
    if unit.group and unit.group.name in broken:
        found = {name: found.get(name, broken[unit.group.name]) for name in batch.rooms}
    return found


def _stranded(name: str, home: Home) -> Unplaced:
    """Its host is out of the spec and was never emptied: unknown is not empty."""
    why = (
        "it lives there, but the spec no longer names that host: put the host back, or give it up: --evacuate "
        f"{home.host}"
    )
    return Unplaced(instance=name, refusals={home.host: why})


def _blind(hosts: Mapping[str, HostState]) -> dict[str, str]:
    """Why nothing new may be placed: a host is silent, and no other knows what runs there."""
    silent = [name for name, host in hosts.items() if host.status is HostStatus.UNREACHABLE]
    knows = any(host.reachable and host.document for host in hosts.values())
    if not silent or knows:
        return {}
    return dict.fromkeys(silent, "unreachable, and no other host knows what runs there")
