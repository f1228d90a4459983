"""Who runs where: what is placed stays; the rest finds the best host that will do, and every refusal is told."""

from collections.abc import Hashable, Mapping

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.plan import Placement, Unplaced
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot
from cloudsync.scheduler.filters import why_move
from cloudsync.scheduler.homes import Home, find_homes
from cloudsync.scheduler.ranking import Ranking
from cloudsync.scheduler.room import Room
from cloudsync.scheduler.standing import standing

Placements = tuple[Placement, ...]


def place(cloud: Cloud, snapshot: Snapshot) -> tuple[Placements, tuple[Unplaced, ...]]:
    """Placements of all wanted instances that have a host, in name order, and those that found none.

    The same input gives the same answer, whatever order its maps are in.
    """
    hosts = standing(cloud, snapshot)
    homes = find_homes(cloud, hosts)
    batch = Batch(cloud, hosts)
    placed: dict[str, Placement] = {}
    unplaced: dict[str, Unplaced] = {}
    new: list[Wanted] = []
    leaving: dict[str, tuple[Home, str]] = {}
    for name, wanted in sorted(cloud.instances.items()):
        home = homes.of.get(name)
        if home is None:
            new.append(wanted)
        elif home.host in hosts and (why := _must_leave(cloud, wanted, home, hosts[home.host])):
            leaving[name] = (home, why)
        elif home.host in hosts:
            batch.take(wanted, home.host)
            placed[name] = Placement(instance=name, host=home.host)
        else:
            unplaced[name] = _stranded(name, home)
    for wanted in sorted((cloud.instances[name] for name in leaving), key=lambda one: _hardest_first(cloud, one)):
        home, why = leaving[wanted.name]
        answer = batch.find(wanted)
        if isinstance(answer, Unplaced):
            unplaced[wanted.name] = Unplaced(instance=wanted.name, refusals={**answer.refusals, home.host: why})
            answer = Placement(instance=wanted.name, host=home.host)
        batch.take(wanted, answer.host)
        placed[wanted.name] = answer
    blind = _blind(hosts)
    for wanted in sorted(new, key=lambda one: _hardest_first(cloud, one)):
        answer = Unplaced(instance=wanted.name, refusals=blind) if blind else batch.find(wanted)
        if isinstance(answer, Placement):
            batch.take(wanted, answer.host)
            placed[wanted.name] = answer
        else:
            unplaced[wanted.name] = answer
    return tuple(placed[name] for name in sorted(placed)), tuple(unplaced[name] for name in sorted(unplaced))


def _must_leave(cloud: Cloud, wanted: Wanted, home: Home, host: HostState) -> str:
    """Why an instance may not stay where it is; empty when it may. What cannot be asked is left alone."""
    if not home.known or not host.reachable:
        return ""
    if host.status is HostStatus.DRAINED:
        return "drained"
    return why_move(cloud, wanted, Room.of(cloud.hosts[host.name], host)) or ""


class Batch:
    """All hosts while instances are placed one after the other."""

    def __init__(self, cloud: Cloud, hosts: Mapping[str, HostState]) -> None:
        self._cloud = cloud
        self._rooms = {name: Room.of(cloud.hosts[name], state) for name, state in hosts.items()}
        self._rankings: dict[Hashable, tuple[Ranking, int]] = {}
        self._filled: list[str] = []
        self._homes: dict[str, frozenset[str]] = {}
        self._strangers: dict[str, list[str]] = {}
        for host, state in hosts.items():
            for name in state.foreign_names:
                self._strangers.setdefault(name, []).append(host)

    def take(self, wanted: Wanted, host: str) -> None:
        """Count an instance in on its host."""
        self._rooms[host].take(wanted)
        self._filled.append(host)
        group = wanted.where.group
        if group:
            self._homes[group] = self._homes.get(group, frozenset()) | {host}

    def find(self, wanted: Wanted) -> Placement | Unplaced:
        """The best host now, or why there is none."""
        ranking = self._ranking(wanted)
        taken = f"a machine called {wanted.name} is there and is not ours"
        barred = dict.fromkeys(self._strangers.get(wanted.name, ()), taken)
        first, second = ranking.best(barred)
        refusals = ranking.refusals()
        if barred:
            refusals = dict(sorted({**barred, **refusals}.items()))
        if first is None:
            return Unplaced(instance=wanted.name, refusals=refusals)
        return Placement(instance=wanted.name, host=first, runner_up=second, refusals=refusals)

    def _ranking(self, wanted: Wanted) -> Ranking:
        """Shared by all that ask for the same, and told what was filled since it was last asked."""
        asks = _asks(wanted)
        known = self._rankings.get(asks)
        ranking = known[0] if known else Ranking(self._cloud, wanted, self._rooms)
        since = known[1] if known else len(self._filled)
        changed = {name: self._rooms[name] for name in self._filled[since:]}
        ranking.refresh(changed, self._group_homes(wanted))
        self._rankings[asks] = (ranking, len(self._filled))
        return ranking

    def _group_homes(self, wanted: Wanted) -> frozenset[str]:
        """Only strict affinity looks at other hosts."""
        group = self._cloud.placement_groups.get(wanted.where.group or "")
        strict = group is not None and group.policy == "affinity"
        return self._homes.get(wanted.where.group or "", frozenset()) if strict else frozenset()


def _asks(wanted: Wanted) -> Hashable:
    """All of an instance that a host cares about, but its name."""
    where, flavor = wanted.where, wanted.flavor
    labels = frozenset(where.labels.items())
    return (wanted.image, flavor.vcpus, flavor.memory, flavor.disk, where.host, where.zone, labels, where.group)


def _hardest_first(cloud: Cloud, wanted: Wanted) -> tuple[int, int, int, int, int, str]:
    """What is pinned first, then strict groups, then the largest, ties by name."""
    group = cloud.placement_groups.get(wanted.where.group or "")
    loose = int(group is None or group.policy.startswith("soft-"))
    flavor = wanted.flavor
    return (0 if wanted.where.host else 1, loose, -flavor.memory, -flavor.vcpus, -flavor.disk, wanted.name)


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
