"""`apply` and `destroy`: show, ask, carry out, wait."""

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import field, replace
from pathlib import Path
from threading import Event as Flag

from cloudsync.cli.exits import Exit
from cloudsync.cli.expectations import problems
from cloudsync.cli.plan import show
from cloudsync.cli.replacing import replacing
from cloudsync.cli.say import say
from cloudsync.cli.store import load_plan
from cloudsync.cli.who import who
from cloudsync.hosts.fleet import Fleet
from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Disruption, Plan
from cloudsync.model.problem import CloudsyncError, SpecError, StaleError
from cloudsync.model.snapshot import Snapshot
from cloudsync.pipeline import (
    Attempt,
    carry_out,
    confirm_fresh,
    decide,
    emptied,
    lineage,
    locked,
    observe,
    surprised,
    warned,
)
from cloudsync.render.mass import most, number
from cloudsync.spec.lineage import Lineage
from cloudsync.spec.words import printable


def _unheard() -> None:
    """Nobody waits for the word."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a person wants it applied; `timeout` is in seconds, `evacuate` names hosts that are given up.

    `accepted` is called when the plan can be carried out and the person agrees, before the first step. `force` applies
    a spec that is older than what is deployed. A saved plan has to be of one of `signers`.
    """

    auto_approve: bool
    allow_destroy: bool
    max_disruption: str | None
    wait: bool
    timeout: float
    parallelism: int
    evacuate: tuple[str, ...] = ()
    allow_mass_delete: bool = False
    accepted: Callable[[], None] = _unheard
    force: bool = False
    signers: Path | None = None


@dataclass(frozen=True, slots=True)
class Brake:
    """What ends an apply early: `stop` lets running steps finish; `lost` are hosts whose lock is gone."""

    stop: Flag = field(default_factory=Flag)
    lost: list[str] = field(default_factory=list)

    def lock_lost(self, host: str) -> None:
        """From any thread."""
        self.lost.append(host)
        self.stop.set()
        say(
            f"error: the apply lock of host {host} is gone, its agent has ended: another apply may work there now\n"
            "hint: when the running steps have finished, start the agent there if it is down, and apply again"
        )


def run(path: Path, saved: Path | None, wishes: Wishes, replaced: Sequence[str] = ()) -> int:
    """Apply the spec, or exactly the plan that was saved."""
    from cloudsync.spec.load import load

    cloud, plan = load(path), load_plan(saved, wishes.signers) if saved else None
    if plan is None:
        return _apply(replace(replacing(cloud, replaced), evacuate=wishes.evacuate), None, wishes)
    asked = replace(cloud, replaced=frozenset(plan.replaced), evacuate=plan.evacuated, targets=plan.targets)
    return _apply(asked, plan, wishes)


def destroy(path: Path, wishes: Wishes) -> int:
    """Apply an empty cloud."""
    from cloudsync.spec.load import load

    cloud = load(path)
    protected = sorted(name for name, wanted in cloud.instances.items() if wanted.protect)
    if protected:
        raise CloudsyncError(
            f"protected: {', '.join(protected)}",
            "if they are to go, take `protect: true` out of the spec and apply that first",
        )
    if cloud.paused:
        names = ", ".join(f"instance.{name}" for name in sorted(cloud.paused))
        raise CloudsyncError(
            f"{names}: nothing is destroyed while that is paused", "take `paused: true` out of the spec"
        )
    return _apply(emptied(cloud), None, wishes)


def _apply(cloud: Cloud, saved: Plan | None, wishes: Wishes) -> int:
    if saved and saved.spec_digest != cloud.digest:
        raise StaleError("the spec, or a file it names, is not the one that was planned", "plan again")
    with Fleet.open(cloud) as fleet:
        at_once = wishes.auto_approve and saved is None
        code, plan = _at_once(cloud, fleet, wishes) if at_once else _after_a_look(cloud, fleet, saved, wishes)
        return code or (_wait(cloud, fleet, wishes.timeout) if wishes.wait else Exit.DONE) or _rest(plan)


def _rest(plan: Plan) -> int:
    """What could not be done, once all else is."""
    if not plan.staying:
        return Exit.DONE
    for one in plan.staying:
        say(f"error: instance.{one.instance} cannot move and stays on {one.host}; all else is as the spec says")
    say("hint: see above why each host refuses")
    return Exit.FAILED


def _at_once(cloud: Cloud, fleet: Fleet, wishes: Wishes) -> tuple[int, Plan]:
    """Nobody reads the plan first, so it is made behind the lock and cannot get old."""
    from cloudsync.planner.departed import confirm_lost

    brake, snapshot = Brake(), observe(fleet)
    confirm_lost(cloud, snapshot)
    with locked(fleet, snapshot.usable, who(), brake.lock_lost):
        snapshot = observe(fleet)
        found = lineage(cloud, snapshot)
        plan = warned(decide(cloud, snapshot, who()), found)
        show(plan)
        _guard(plan, wishes, found)
        wishes.accepted()
        attempt = _attempt(cloud, snapshot, found, brake)
        return (_carry_out(plan, cloud, fleet, wishes.parallelism, brake, attempt) if plan.steps else Exit.DONE), plan


def _after_a_look(cloud: Cloud, fleet: Fleet, saved: Plan | None, wishes: Wishes) -> tuple[int, Plan]:
    """What was read, now or when it was saved, must still be what would be done."""
    snapshot = observe(fleet)
    found = lineage(cloud, snapshot)
    plan = saved or warned(decide(cloud, snapshot, who()), found)
    show(plan)
    _guard(plan, wishes, found)
    if not plan.steps:
        wishes.accepted()
        return Exit.DONE, plan
    if not _agreed(plan, wishes):
        say("nothing was changed")
        return Exit.FAILED, plan
    brake = Brake()
    with locked(fleet, snapshot.usable, who(), brake.lock_lost):
        snapshot = observe(fleet)
        fresh, found = confirm_fresh(plan, decide(cloud, snapshot, who())), lineage(cloud, snapshot)
        _refuse_older(found, wishes)
        wishes.accepted()
        attempt = _attempt(cloud, snapshot, found, brake)
        return _carry_out(fresh, cloud, fleet, wishes.parallelism, brake, attempt), fresh


def _attempt(cloud: Cloud, snapshot: Snapshot, found: Lineage | None, brake: Brake) -> Attempt:
    return Attempt(
        who=who(),
        deployed=snapshot.deployed(cloud.name),
        forced=found is not None and found.refused,
        lost=brake.lost,
        complain=say,
        runs=snapshot.runs,
    )


def _refuse_older(found: Lineage | None, wishes: Wishes) -> None:
    if found is not None and found.refused and not wishes.force:
        raise CloudsyncError(f"{found.message}; nothing was changed", found.hint)


def _guard(plan: Plan, wishes: Wishes, found: Lineage | None) -> None:
    """Refuse what cannot be done whole, and what the person has not allowed. What cannot move stays, and the rest goes
    on. Where there is nothing to do, an older spec does no harm."""
    if plan.steps:
        _refuse_older(found, wishes)
    if plan.homeless:
        names = ", ".join(f"instance.{one.instance}" for one in plan.homeless)
        raise CloudsyncError(f"there is no place for {names}; nothing was changed", "see above why each host refuses")
    if plan.broken:
        raise SpecError(problems(plan.broken, told=True))
    doubts = _doubts(plan, wishes) if wishes.auto_approve else []
    if doubts:
        options = " ".join(one.option for one in doubts)
        raise CloudsyncError(
            f"this plan {'; it '.join(one.whole for one in doubts)}", f"add {options} if that is what you want"
        )
    if wishes.max_disruption is not None:
        limit = next(kind for kind in Disruption if kind.label == wishes.max_disruption)
        above = [
            f"{change.address} ({change.disruption.label})" for change in plan.changes if change.disruption > limit
        ]
        if above:
            raise CloudsyncError(
                f"this plan disturbs more than `{limit.label}`: {', '.join(above)}", "raise --max-disruption"
            )


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a plan does that needs a word of its own: `option` is that word. `short` is enough for who has the plan."""

    option: str
    short: str
    whole: str


def _doubts(plan: Plan, wishes: Wishes) -> list[Doubt]:
    """Those that the person has not answered yet."""
    found = []
    if plan.destroys and not wishes.allow_destroy:
        names = ", ".join(change.loss for change in plan.destroys)
        found.append(Doubt("--allow-destroy", "destroys data", f"destroys data: {names}"))
    if plan.mass and not wishes.allow_mass_delete:
        words = f"deletes or makes anew {most(plan.mass)}"
        found.append(Doubt("--allow-mass-delete", words, words))
    return found


def _agreed(plan: Plan, wishes: Wishes) -> bool:
    if wishes.auto_approve:
        return True
    if not sys.stdin.isatty():
        doubts = _doubts(plan, wishes)
        hint = " ".join(["add -y", *(one.option for one in doubts)])
        why = " and ".join(one.short for one in doubts)
        raise CloudsyncError(
            "nobody is there to ask: standard input is not a terminal", f"{hint}: this plan {why}" if why else hint
        )
    if plan.mass and not wishes.allow_mass_delete:
        count = str(number(plan.mass))
        say(f"This deletes or makes anew {most(plan.mass)}.")
        if _answer(f"Type how many go ({count}) to go on: ") != count:
            return False
    if plan.destroys and not wishes.allow_destroy:
        say(f"This destroys data for good: {', '.join(change.loss for change in plan.destroys)}.")
        return _answer(f"Type the cloud's name ({plan.cloud}) to go on: ") == plan.cloud
    return _answer("Apply this? Only `yes` is taken for yes: ") == "yes"


def _answer(question: str) -> str:
    sys.stderr.write(printable(question))
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def _carry_out(plan: Plan, cloud: Cloud, fleet: Fleet, parallelism: int, brake: Brake, attempt: Attempt) -> int:
    from cloudsync.render.progress import Screen

    with _interruptible(brake.stop), Screen(plan) as screen:
        outcome = carry_out(plan, cloud, fleet, screen.seen, parallelism, brake.stop, attempt)
    with suppress(OSError):
        say(screen.summary(outcome))
        for one in surprised(plan, outcome, attempt, fleet):
            say(f"error: {one}: unless somebody else did that meanwhile, it is a bug in cloudsync; please report it")
    if brake.lost:
        return Exit.FAILED
    if outcome.interrupted or brake.stop.is_set():
        return Exit.INTERRUPTED
    return Exit.FAILED if outcome.failed else Exit.DONE


@contextmanager
def _interruptible(stop: Flag) -> Iterator[None]:
    """Ctrl-C, SIGTERM and the end of a login set the flag: running steps finish, no new one starts."""

    def on_signal(_number: int, _frame: object) -> None:
        stop.set()
        with suppress(OSError):
            say("interrupted: waiting for the running steps to finish")

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(cloud: Cloud, fleet: Fleet, timeout: float) -> int:
    from cloudsync.cli.wait import wait

    return wait(cloud, fleet, timeout)
