"""Who runs where: what is placed stays; the rest finds the best host that will do, and every refusal is told."""

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.plan import Placement, Unplaced
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot
from cloudsync.scheduler.filters import why_not
from cloudsync.scheduler.homes import home_of, homes
from cloudsync.scheduler.room import Room
from cloudsync.scheduler.scores import best_first

Placements = tuple[Placement, ...]


def place(cloud: Cloud, snapshot: Snapshot) -> tuple[Placements, tuple[Unplaced, ...]]:
    """Placements of all wanted instances that have a host, in name order, and those that found none.

    The same input gives the same answer, whatever order its maps are in.
    """
    rooms = {name: Room.of(host, _state(snapshot, name)) for name, host in sorted(cloud.hosts.items())}
    existing = homes(snapshot)
    placed: dict[str, Placement] = {}
    new: list[Wanted] = []
    for name in sorted(cloud.instances):
        wanted = cloud.instances[name]
        home = home_of(wanted, cloud, existing)
        if home is None or home.host not in rooms:
            new.append(wanted)
        else:
            rooms[home.host].take(wanted)
            placed[name] = Placement(instance=name, host=home.host)
    unplaced: dict[str, Unplaced] = {}
    blind = _blind(snapshot)
    for wanted in sorted(new, key=_hardest_first):
        answer = Unplaced(instance=wanted.name, refusals=blind) if blind else _find(cloud, wanted, rooms)
        if isinstance(answer, Placement):
            rooms[answer.host].take(wanted)
            placed[wanted.name] = answer
        else:
            unplaced[wanted.name] = answer
    return tuple(placed[name] for name in sorted(placed)), tuple(unplaced[name] for name in sorted(unplaced))


def _find(cloud: Cloud, wanted: Wanted, rooms: dict[str, Room]) -> Placement | Unplaced:
    refusals: dict[str, str] = {}
    able: list[Room] = []
    for name, room in rooms.items():
        reason = why_not(cloud, wanted, room, rooms)
        if reason:
            refusals[name] = reason
        else:
            able.append(room)
    if not able:
        return Unplaced(instance=wanted.name, refusals=refusals)
    ranked = best_first(cloud, wanted, able)
    runner_up = ranked[1].host.name if len(ranked) > 1 else None
    return Placement(instance=wanted.name, host=ranked[0].host.name, runner_up=runner_up, refusals=refusals)


def _hardest_first(wanted: Wanted) -> tuple[int, int, int, int, str]:
    """What is pinned first, then the largest, ties by name."""
    pinned = 0 if wanted.where.host else 1
    return (pinned, -wanted.flavor.memory, -wanted.flavor.vcpus, -wanted.flavor.disk, wanted.name)


def _state(snapshot: Snapshot, name: str) -> HostState:
    unseen = HostState(name=name, status=HostStatus.UNREACHABLE, reason="it is not in the snapshot")
    return snapshot.hosts.get(name, unseen)


def _blind(snapshot: Snapshot) -> dict[str, str]:
    """Why nothing new may be placed: a host is silent, and no other knows what runs there."""
    silent = [name for name, host in snapshot.hosts.items() if host.status is HostStatus.UNREACHABLE]
    knows = any(host.reachable and host.document for host in snapshot.hosts.values())
    if not silent or knows:
        return {}
    return dict.fromkeys(sorted(silent), "unreachable, and no other host knows what runs there")
