"""Desired and observed -> Plan: what changes and why, what drifted, and the steps."""

from collections.abc import Iterable, Iterator, Mapping

from cloudsync.model.cloud import Cloud
from cloudsync.model.document import Applied
from cloudsync.model.obstacle import Obstacle
from cloudsync.model.plan import Action, Change, Checked, Exposure, Held, Placement, Plan, Unplaced
from cloudsync.model.resources import Network, World
from cloudsync.model.snapshot import HostState, Snapshot
from cloudsync.model.step import PutDocument, Step
from cloudsync.planner import departed, hosts, images, instances, shared
from cloudsync.planner.audit import audit
from cloudsync.planner.conflicts import Conflicts, conflicts
from cloudsync.planner.documents import Whole, whole
from cloudsync.planner.drift import drift
from cloudsync.planner.held import frozen, pending, unmade, waiting
from cloudsync.planner.mass import mass
from cloudsync.planner.notes import notes
from cloudsync.planner.order import Work, steps
from cloudsync.planner.pending import by_batch, unrollable
from cloudsync.planner.refuse import refuse
from cloudsync.planner.rolling import rolling
from cloudsync.planner.seen import Pair, Sight, see
from cloudsync.planner.wished import wished
from cloudsync.scheduler.homes import find_homes
from cloudsync.scheduler.standing import standing

_FEW = 3
"""Commands that fit into a warning."""


def make_plan(
    cloud: Cloud,
    desired: World,
    snapshot: Snapshot,
    placements: Iterable[Placement],
    unplaced: Iterable[Unplaced],
    applied: Applied,
    exposing: bool = True,
) -> Plan:
    """Raise SpecError for changes that are never made. Instances that have no place get no steps. `exposing`: who may
    talk to whom is asked for, too."""
    written, cloud = cloud, frozen(cloud, desired)
    states = wished(cloud, standing(cloud, snapshot))
    sight = see(cloud, desired, states)
    held, (turns, rolls) = conflicts(desired, sight), rolling(cloud, sight, desired.networks)
    refuse(cloud, sight, states, unrollable(cloud, turns, held, desired.networks))
    common = whole(cloud, desired, sight, states)
    shared = by_batch(cloud, common, sight, states, turns)
    moved = images.fetches(desired, states), images.drops(cloud, desired, sight, states)
    works = _works(cloud, states, sight, shared, moved, held, applied)
    todo = departed.first(cloud, states, steps(works, turns))
    changes = _changes(cloud, states, sight, common, moved, todo)
    paused = {name: one for name, one in desired.held.items() if name not in cloud.held}
    kept_back = tuple(pending(sight, paused))
    exposure = _exposure(cloud, desired, sight, states) if changes and exposing else Exposure()
    plan = Plan(
        cloud=cloud.name,
        commit=cloud.commit,
        spec_digest=cloud.digest,
        hosts={name: hosts.summary(host, sight) for name, host in states.items()},
        drift=drift(sight, states, common.desired.networks),
        changes=changes,
        placements=_new(placements, changes),
        unplaced=tuple(unplaced),
        expectations=_expectations(cloud, desired, sight) if cloud.expectations else (),
        exposure=exposure,
        warnings=(
            *_warnings(sight, states),
            *_few(changes, states),
            *departed.warnings(cloud, states),
            *departed.left_behind(states, sight),
            *hosts.warnings(states),
            *images.too_full(cloud, moved[0], states),
            *_untold(exposure),
        ),
        rolls=rolls,
        mass=mass(cloud, sight),
        held=_held(written, states, kept_back, common.desired.networks),
        notes=notes(sight, desired.instances.values(), common.desired.networks, kept_back),
        steps=todo,
        replaced=tuple(sorted(cloud.replaced)),
        evacuated=cloud.evacuate,
    )
    audit(plan, desired, states)
    return plan


def _held(
    cloud: Cloud, states: Mapping[str, HostState], kept_back: Iterable[Pair], networks: Mapping[str, Network]
) -> tuple[Held, ...]:
    """In address order."""
    if not cloud.paused:
        return ()
    found = [*unmade(cloud, find_homes(cloud, states))]
    for pair in kept_back:
        found += waiting(instances.every(pair, networks), cloud, pair)
    return tuple(sorted(found, key=lambda one: one.change.address))


Moved = tuple[tuple[images.Fetch, ...], tuple[images.Drop, ...]]


def _changes(
    cloud: Cloud,
    states: Mapping[str, HostState],
    sight: Sight,
    common: Whole,
    moved: Moved,
    todo: tuple[Step, ...],
) -> tuple[Change, ...]:
    """In address order."""
    new = hosts.joining(cloud, states)
    found = [
        *hosts.changes(common, states, new),
        *shared.changes(common.desired, states, new),
        *images.changes(*moved),
        *instances.changes(sight.pairs, common.desired.networks, cloud.replaced),
        *departed.changes(cloud, states, sight),
    ]
    drifted = {name for name, host in states.items() if host.drift}
    updated = {step.host for step in todo if isinstance(step, PutDocument)} - drifted
    found += hosts.behind(found, updated, new)
    return tuple(sorted(found, key=lambda change: (change.address, change.action.value)))


def _works(
    cloud: Cloud,
    states: Mapping[str, HostState],
    sight: Sight,
    shared: tuple[Whole, ...],
    moved: Moved,
    held: Conflicts,
    applied: Applied,
) -> Iterable[Work]:
    fetched: dict[str, list[images.Fetch]] = {}
    for fetch in moved[0]:
        fetched.setdefault(fetch.host, []).append(fetch)
    dropped: dict[str, list[images.Drop]] = {}
    for drop in moved[1]:
        dropped.setdefault(drop.host, []).append(drop)
    return (
        Work(
            cloud=cloud,
            host=host,
            pairs=sight.on[name],
            there=sight.at[name],
            copies=tuple(one for one in sight.copies if one.host == name),
            fetches=tuple(fetched.get(name, ())),
            drops=tuple(dropped.get(name, ())),
            shared=shared,
            held=held,
            applied=applied,
        )
        for name, host in states.items()
        if host.reachable
    )


def _expectations(cloud: Cloud, desired: World, sight: Sight) -> tuple[Checked, ...]:
    """The model of reachability is loaded only where somebody asks it: most plans find nothing to do."""
    from cloudsync.planner.exposed import addresses
    from cloudsync.reach.expect import check
    from cloudsync.reach.wanted import of_cloud

    homes = {name: home.host for home, name in sight.away if name}
    homes |= {name: one.host for name, one in desired.instances.items()}
    return check(cloud, of_cloud(cloud, addresses(desired, sight), homes))


def _exposure(cloud: Cloud, desired: World, sight: Sight, states: Mapping[str, HostState]) -> Exposure:
    from cloudsync.planner.exposed import exposed

    return exposed(cloud, desired, sight, states)


def _untold(exposure: Exposure) -> tuple[str, ...]:
    if not exposure.untold:
        return ()
    from cloudsync.planner.exposed import untold

    return untold(exposure)


def _new(placements: Iterable[Placement], changes: tuple[Change, ...]) -> tuple[Placement, ...]:
    """Only those of instances that the plan makes, or makes anew elsewhere."""
    made = {change.address for change in changes if change.action is Action.CREATE}
    anew = (one for one in changes if one.action is Action.REPLACE)
    made |= {one.address for one in anew if any(field.path == "host" for field in one.fields)}
    return tuple(placement for placement in placements if f"instance.{placement.instance}" in made)


def _warnings(sight: Sight, states: Mapping[str, HostState]) -> Iterable[str]:
    for name, host in states.items():
        yield from (f"host.{name}: {one}: {_way_out(one)}" for one in host.obstacles)
        if not host.reachable:
            count = sum(home.host == name for home, _ in sight.away)
            left = f": {count} instance{'s' if count != 1 else ''} there {'are' if count != 1 else 'is'} left alone"
            why = f" ({host.reason})" if host.reason else ""
            yield f"host.{name} is {host.status.value}{why}{left if count else ''}"


def _few(changes: Iterable[Change], states: Mapping[str, HostState]) -> Iterator[str]:
    """Two applies that each reach more than half of the hosts have one in common, which knows of both."""
    asked = [f"host.{name}" for name, host in states.items() if host.reachable]
    made = [one.address for one in changes if one.action is Action.CREATE and one.address.startswith("instance.")]
    if made and 2 * len(asked) <= len(states):
        known = " and ".join(asked)
        yield (
            f"only {len(asked)} of {len(states)} hosts can be asked: what is made now is known to {known} alone, and "
            "an apply that does not reach it makes that again"
        )


def _way_out(one: Obstacle) -> str:
    if 0 < len(one.fix) <= _FEW:
        return f"run there as root: {' && '.join(one.fix)}"
    return "`cloudsync doctor` shows the fix"
