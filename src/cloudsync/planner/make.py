"""Desired and observed -> Plan: what changes and why, what drifted, and the steps."""

from collections.abc import Iterable

from cloudsync.model.cloud import Cloud
from cloudsync.model.document import Applied
from cloudsync.model.plan import Change, Placement, Plan, Step, Unplaced
from cloudsync.model.resources import World
from cloudsync.model.snapshot import Snapshot
from cloudsync.planner import hosts, images, instances, shared
from cloudsync.planner.audit import audit
from cloudsync.planner.documents import Whole, whole
from cloudsync.planner.drift import drift
from cloudsync.planner.order import Work, steps
from cloudsync.planner.refuse import refuse
from cloudsync.planner.seen import Pair, Sight, see


def make_plan(
    cloud: Cloud,
    desired: World,
    snapshot: Snapshot,
    placements: Iterable[Placement],
    unplaced: Iterable[Unplaced],
    applied: Applied,
) -> Plan:
    """Raise SpecError for changes that are never made. Instances that have no place get no steps."""
    sight = see(cloud, desired, snapshot)
    refuse(cloud, sight.pairs)
    common = whole(cloud, desired, sight)
    fetches, drops = images.fetches(desired, snapshot), images.drops(desired, sight, snapshot)
    drifted = drift(sight, snapshot)
    changes = (
        *hosts.changes(common, snapshot),
        *shared.changes(desired, snapshot),
        *images.changes(fetches, drops),
        *instances.changes(sight.pairs),
    )
    plan = Plan(
        cloud=cloud.name,
        commit=cloud.commit,
        spec_digest=cloud.digest,
        hosts={name: hosts.summary(host) for name, host in sorted(snapshot.hosts.items())},
        drift=drifted,
        changes=tuple(sorted(changes, key=lambda change: change.address)),
        placements=_new(placements, changes),
        unplaced=tuple(unplaced),
        warnings=tuple(_warnings(sight, snapshot)),
        steps=_steps(cloud, snapshot, sight, common, (fetches, drops), applied),
    )
    audit(plan, desired)
    return plan


def _steps(
    cloud: Cloud,
    snapshot: Snapshot,
    sight: Sight,
    common: Whole,
    moved: tuple[tuple[images.Fetch, ...], tuple[images.Drop, ...]],
    applied: Applied,
) -> tuple[Step, ...]:
    found: list[Step] = []
    pairs: dict[str, list[Pair]] = {}
    for pair in sight.pairs:
        pairs.setdefault(pair.host.name, []).append(pair)
    for name, host in sorted(snapshot.hosts.items()):
        if host.reachable and name in cloud.hosts:
            work = Work(
                cloud=cloud,
                host=host,
                pairs=tuple(pairs.get(name, ())),
                fetches=tuple(fetch for fetch in moved[0] if fetch.host == name),
                drops=tuple(drop for drop in moved[1] if drop.host == name),
                shared=common,
                applied=applied,
                drifted=bool(host.drift),
            )
            found.extend(steps(work))
    return tuple(found)


def _new(placements: Iterable[Placement], changes: tuple[Change, ...]) -> tuple[Placement, ...]:
    """Only those of instances that the plan makes."""
    made = {change.address for change in changes if change.action == "create"}
    return tuple(placement for placement in placements if f"instance.{placement.instance}" in made)


def _warnings(sight: Sight, snapshot: Snapshot) -> Iterable[str]:
    for name, host in sorted(snapshot.hosts.items()):
        if not host.reachable:
            count = sum(home.host == name for home in sight.away.values())
            yield f"{name} {host.status.value}: {count} instances there are left alone"
