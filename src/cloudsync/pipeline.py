"""The whole story; read this first.

cloud    = load(path)                        YAML -> Cloud, or every Problem with its place
snapshot = fleet.observe()                   live hosts -> Snapshot          (the only reading effect)
placed   = place(cloud, snapshot)            who runs where, refusals explained          (pure)
desired  = resolve(cloud, placed, snapshot)  every address, MAC, UUID decided            (pure)
plan     = make_plan(…)                      changes with reasons, steps with what they wait for   (pure)
outcome  = execute(plan, fleet)              concurrent, nothing left to decide  (the only writing effect)
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING
from uuid import uuid4

from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import Applied
from cloudsync.model.plan import Change, Plan
from cloudsync.model.problem import CloudsyncError, StaleError
from cloudsync.model.snapshot import Snapshot

if TYPE_CHECKING:
    from cloudsync.apply.events import Event
    from cloudsync.apply.execute import Outcome
    from cloudsync.apply.surprise import Surprise
    from cloudsync.hosts.fleet import Fleet
    from cloudsync.model.difference import Difference
    from cloudsync.reach.picture import Picture
    from cloudsync.spec.lineage import Lineage
    from cloudsync.spec.versions import Version


WAITING = "waiting"
"""Why a change is held that a watch does not make by itself."""

_TIME = "%Y-%m-%dT%H:%M:%SZ"


def decide(cloud: Cloud, snapshot: Snapshot, who: str) -> Plan:
    """What would be done, from what is wanted and what is there. Pure but for the clock in `applied.at`."""
    whole = _decide(cloud, snapshot, who)
    if not cloud.targets:
        return whole
    from cloudsync.planner.target import aimed
    from cloudsync.scheduler.standing import standing

    return aimed(cloud, standing(cloud, snapshot), whole, cloud.targets, lambda part: _decide(part, snapshot, who))


def foreseen(path: Path, was: "Version", now: "Version", snapshot: Snapshot, who: str) -> "tuple[Cloud, Difference]":
    """What applying `now` would do where things are as in the snapshot, and what `compare` says beside its plan; and
    the cloud with the image files that the hosts have, where they are still those as far as Git says. Without a base
    that is a guess, and told. `path` is the spec's."""
    from cloudsync.model.difference import Difference
    from cloudsync.planner.alike import alike
    from cloudsync.planner.contents import deployed
    from cloudsync.planner.grounds import notes
    from cloudsync.spec.since import since
    from cloudsync.spec.versions import fate
    from cloudsync.spec.words import some

    if now.cloud is None:
        raise CloudsyncError(f"{now.file} is removed: there is nothing to plan", "leave out --snapshot")
    cloud = deployed(was.cloud, now.cloud, snapshot)
    plan = decide(cloud, snapshot, who)
    last = snapshot.deployed(cloud.name) or Applied()
    guessed = [name for name, one in cloud.images.items() if was.cloud is None and one != now.cloud.images[name]]
    said = f"{some(guessed)}: taken to be what the hosts have, for BASE does not say what it was before"
    warnings = (since(path, was, last), *plan.warnings, said if guessed else "")
    base = was.cloud or emptied(now.cloud)
    plan = replace(
        plan,
        commit=now.commit,
        warnings=tuple(one for one in warnings if one),
        notes=(*notes(base, now.cloud), *plan.notes),
    )
    renames = alike(base, now.cloud)
    return cloud, Difference(base=was.side, head=now.side, fate=fate(was, now), plan=plan, alike=renames, snapshot=last)


def decide_quiet(cloud: Cloud, snapshot: Snapshot, who: str, goes: "Callable[[Change], bool]") -> tuple[Plan, Plan]:
    """All that would be done, and the part of it that `goes` allows; the rest is held there, and kept as it was."""
    from cloudsync.planner.narrow import narrowed
    from cloudsync.scheduler.standing import standing

    whole = decide(cloud, snapshot, who)
    hosts = standing(cloud, snapshot)
    return whole, narrowed(cloud, hosts, whole, goes, lambda part: _decide(part, snapshot, who), WAITING, upkeep=True)


def _decide(cloud: Cloud, snapshot: Snapshot, who: str, exposing: bool = True) -> Plan:
    from cloudsync.planner.departed import confirm_lost
    from cloudsync.planner.make import make_plan
    from cloudsync.planner.resolve import resolve
    from cloudsync.scheduler.place import place

    confirm_lost(cloud, snapshot)
    placements, unplaced = place(cloud, snapshot)
    desired = resolve(cloud, placements, snapshot)
    applied = Applied(commit=cloud.commit, dirty=cloud.dirty, by=who, at=_now(snapshot.deployed(cloud.name)))
    return make_plan(cloud, desired, snapshot, placements, unplaced, applied, exposing)


def get_ready() -> None:
    """Begin to import what decides, which takes longer than most hosts take to answer."""

    def work() -> None:
        from cloudsync.planner import departed, make, resolve  # noqa: F401 - to be there
        from cloudsync.scheduler import place  # noqa: F401

    Thread(target=work, name="get ready", daemon=True).start()


def compare(was: "Version", now: "Version") -> "Difference":
    """What the change from one version of a spec to another means, with no host asked. `now` is not broken."""
    from cloudsync.model.difference import Difference
    from cloudsync.planner.alike import alike
    from cloudsync.planner.between import between, confirm_same
    from cloudsync.planner.settled import settled
    from cloudsync.planner.supposed import suppose
    from cloudsync.planner.unlike import shared, unlike
    from cloudsync.spec.versions import fate

    if now.cloud is None:
        gone = Plan(cloud=was.cloud.name if was.cloud else "")
        return Difference(base=was.side, head=now.side, fate=fate(was, now), plan=gone)
    base = was.cloud or emptied(now.cloud)
    confirm_same(base, now.cloud)
    head = shared(base, now.cloud)
    world = suppose(*unlike(base, head))
    plan = _decide(world.head, settled(world.base, world.homes, world.bare, world.held), "", exposing=False)
    found = between(plan, base, head, world)
    return Difference(base=was.side, head=now.side, fate=fate(was, now), plan=found, alike=alike(base, head))


def drawn(plan: Plan, cloud: Cloud, snapshot: Snapshot) -> "Picture":
    """What the plan does to the picture of the cloud."""
    from cloudsync.planner.pictured import of_plan

    return of_plan(plan, cloud, snapshot)


def drawn_apart(found: "Difference", was: "Version", now: "Version") -> "Picture | None":
    """The same of what `compare` found, by what Git has alone; None where the spec is removed."""
    from cloudsync.planner.pictured import of_change
    from cloudsync.scheduler.homes import heirs

    if now.cloud is None:
        return None
    base = was.cloud or emptied(now.cloud)
    return of_change(found.plan, base, now.cloud, heirs(now.cloud.instances, base.instances))


def _now(deployed: Applied | None = None) -> str:
    """Never before what was applied last, even where another controller's clock was ahead of ours: of two directories
    the later one counts."""
    now = datetime.now(UTC)
    with suppress(ValueError):
        then = datetime.fromisoformat(deployed.at if deployed else "").replace(tzinfo=UTC)
        now = max(now, then + timedelta(seconds=1))
    return now.strftime(_TIME)


def observe(fleet: "Fleet") -> Snapshot:
    """What is there; an error naming every reason when no host answers at all."""
    snapshot = fleet.observe()
    if snapshot.hosts and not any(host.reachable for host in snapshot.hosts.values()):
        reasons = [
            f"{name}: {host.reason.removeprefix(f'host {name}: ') or host.status.value}"
            for name, host in sorted(snapshot.hosts.items())
        ]
        raise CloudsyncError("no host can be used\n  " + "\n  ".join(reasons), "mend one of them, then run this again")
    return snapshot


def lineage(cloud: Cloud, snapshot: Snapshot) -> "Lineage | None":
    """What is wrong with applying this commit on top of what is deployed."""
    from cloudsync.spec import lineage as judge

    return judge.lineage(cloud, snapshot.deployed(cloud.name))


def warned(plan: Plan, found: "Lineage | None") -> Plan:
    """The plan, which says so. That local changes would be undone is no news where nothing is to be done."""
    if found is None or not (found.refused or plan.steps):
        return plan
    return replace(plan, warnings=(found.warning, *plan.warnings))


def emptied(cloud: Cloud) -> Cloud:
    """The same hosts with nothing on them: what `destroy` plans."""
    bare = replace(cloud, images={}, networks={}, keypairs={}, groups={}, placement_groups={}, instances={})
    return replace(bare, expectations=())


def blobs(cloud: Cloud) -> Mapping[str, bytes]:
    """User-data by SHA-256."""
    found = {wanted.user_data for wanted in cloud.instances.values() if wanted.user_data is not None}
    return {sha256(data).hexdigest(): data for data in found}


@contextmanager
def locked(fleet: "Fleet", hosts: Iterable[str], who: str, lost: "Callable[[str], None]") -> Iterator[None]:
    """Hold the apply lock of these hosts, in name order so that two applies cannot wait for each other.

    `lost` is called, from another thread, with the name of a host that gives it away before the block ends.
    """
    with ExitStack() as stack:
        for name in sorted(hosts):
            stack.enter_context(fleet.drivers[name].lock(who, partial(lost, name)))
        yield


def confirm_fresh(shown: Plan, fresh: Plan) -> Plan:
    """What was shown, as it is carried out now; StaleError, saying what moved, unless that would still be done."""
    from cloudsync.planner.stale import differences, within

    fresh = within(shown, fresh)
    moved = differences(shown, fresh)
    if moved:
        raise StaleError("the plan is stale\n  " + "\n  ".join(moved), "plan again and look at the new plan")
    return fresh


@dataclass(frozen=True, slots=True)
class Attempt:
    """An apply that is about to begin: who does it, from what `deployed` was, and whether the spec's age was waved
    through. `lost` is read at the end: hosts whose lock is gone. `complain` is told what no journal takes. `runs` are
    the machines that ran, by host."""

    who: str
    deployed: Applied | None
    forced: bool
    lost: Sequence[str]
    complain: Callable[[str], None]
    runs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def carry_out(
    plan: Plan,
    cloud: Cloud,
    fleet: "Fleet",
    listener: "Callable[[Event], None]",
    parallelism: int,
    stop: Flag,
    attempt: Attempt,
) -> "Outcome":
    """Perform the steps, and have the hosts write down that this begins and how it ends."""
    from cloudsync import __version__
    from cloudsync.apply.execute import execute
    from cloudsync.apply.record import Record, began

    applied = Applied(commit=cloud.commit, dirty=cloud.dirty, by=attempt.who, at=_now(attempt.deployed))
    begins = began(plan, applied, uuid4().hex, __version__, attempt.forced)
    record = Record(plan, fleet.drivers, begins, attempt.complain)

    def heard(event: "Event") -> None:
        record.seen(event)
        listener(event)

    record.begin()
    outcome = execute(plan, fleet.drivers, blobs(cloud), heard, parallelism, stop)
    record.end(outcome, max(applied.at, _now()), attempt.lost)
    return outcome


def surprised(plan: Plan, outcome: "Outcome", attempt: Attempt, fleet: "Fleet") -> "tuple[Surprise, ...]":
    """Where what happened to running machines is not what the plan said. A host whose lock is gone may have lost its
    power, and every guest with it."""
    from cloudsync.apply.surprise import surprises

    after = {host: runs for host, runs in fleet.runs().items() if host not in attempt.lost}
    return surprises(plan, outcome, attempt.runs, after)
