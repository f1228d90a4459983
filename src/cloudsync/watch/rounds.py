"""One round: load, observe, plan, carry out what nobody notices, hold the rest. All that a watch does is done here;
loop.py has one run after the other, and never two at once.

Connections stay open between rounds; what is told of a host that is silent is remembered until a scout has heard it.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import field, replace
from threading import Event as Flag
from time import monotonic

from cloudsync.hosts.fleet import Fleet
from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Change, Held, Plan, Unplaced
from cloudsync.model.problem import CloudsyncError, HostError, LockedError, Problem, SpecError, StaleError
from cloudsync.model.snapshot import HostStatus, Snapshot
from cloudsync.pipeline import Attempt, carry_out, decide_quiet, locked, observe, surprised
from cloudsync.planner.narrow import TOGETHER, quiet
from cloudsync.watch.consent import Consent
from cloudsync.watch.happening import Ending, Happening, Planned, RoundBegan, RoundEnded, Stepped
from cloudsync.watch.memory import after, quick
from cloudsync.watch.relapse import Resting, rests, waiting
from cloudsync.watch.report import Report
from cloudsync.watch.source import Source
from cloudsync.watch.trigger import Reason, Trigger

EAGER = frozenset({Reason.SAVE, Reason.COMMIT, Reason.APPROVAL})
"""There is most likely something to do: it is looked at behind the lock from the start."""

_TRIES = 3


@dataclass(slots=True)
class Rounds:
    """`who` is told to whoever finds a host locked. `opened` is called with each fleet that is opened anew, `closing`
    before it is closed for another. `sought` is told who does not answer."""

    source: Source
    who: str
    parallelism: int
    tell: Callable[[Happening], None]
    opened: Callable[[Fleet], None]
    closing: Callable[[], None]
    sought: Callable[[tuple[str, ...]], None]
    _brake: Flag = field(default_factory=Flag)
    _stopping: bool = False
    _fleet: Fleet | None = None
    _cloud: Cloud | None = None
    _usable: frozenset[str] = frozenset()
    _memory: Snapshot | None = None
    _held: tuple[Held, ...] = ()
    _unplaced: tuple[Unplaced, ...] = ()
    _early: Mapping[str, Resting] = field(default_factory=dict)
    _resting: tuple[Resting, ...] = ()

    def run(self, number: int, triggers: tuple[Trigger, ...], early: Mapping[str, Resting] | None = None) -> RoundEnded:
        """Never raises but for a bug. `early` are, by address, those whose turn to be put right it is not yet."""
        began, self._early = monotonic(), early or {}
        self._brake = Flag()
        if self._stopping:
            self._brake.set()
        self.tell(RoundBegan(number, triggers))
        report = Report(RoundEnded(number=number, triggers=triggers, ending=Ending.QUIET, seconds=0.0))
        try:
            self._run(report)
        except LockedError as error:
            report.failed(Ending.LOCKED, error)
        except StaleError as error:
            report.failed(Ending.FAILED, error)
        except SpecError as error:
            report.failed(Ending.BROKEN, error, error.problems)
        except CloudsyncError as error:
            report.failed(report.blame, error)
        except Exception as error:
            if os.environ.get("CLOUDSYNC_DEBUG"):
                raise
            what = f"this is a bug in cloudsync ({type(error).__name__})"
            hint = "run it again with CLOUDSYNC_DEBUG=1 and report what it prints"
            report.failed(Ending.FAILED, CloudsyncError(what, hint))
        if report.found.ending in (Ending.FAILED, Ending.LOCKED):
            self._usable, self._memory = frozenset(), None
        self._held, self._unplaced, self._resting = report.found.held, report.found.unplaced, report.found.resting
        return replace(report.found, seconds=monotonic() - began)

    def halt(self) -> None:
        """From another thread: running steps finish, no other begins."""
        self._stopping = True
        self._brake.set()

    def close(self) -> None:
        if self._fleet:
            self._fleet.close()

    def _run(self, report: Report) -> None:
        triggers, report.blame = report.found.triggers, Ending.REFUSED
        report.note(held=self._held, unplaced=self._unplaced, resting=self._resting)
        cloud = self.source.load(triggers)
        report.note(commit=cloud.commit, dirty=cloud.dirty)
        fleet = self._fleet_of(cloud)
        report.blame = Ending.FAILED
        consent = Consent.of(triggers)
        eager = any(one.reason in EAGER for one in triggers)
        if not (eager and self._usable):
            snapshot = self._observe(fleet, report)
            if not self._decided(cloud, snapshot, consent, report).steps:
                self._memory = snapshot
                return
        for _ in range(_TRIES):
            usable = self._usable or self._observe(fleet, report).usable
            with ExitStack() as stack:
                lost = self._lock(stack, fleet, usable)
                if lost is None:
                    continue
                if eager and consent is Consent.NONE and self._quickly(cloud, fleet, lost, report):
                    return
                report.again()
                snapshot = self._observe(fleet, report)
                # Who has come back meanwhile is not locked.
                if self._usable <= usable:
                    plan = self._decided(cloud, snapshot, consent, report)
                    self._carried_out(plan, cloud, fleet, snapshot, lost, report)
                    return
        raise HostError("the hosts come and go: nothing was done", "look at the lines to them")

    def _fleet_of(self, cloud: Cloud) -> Fleet:
        """The one that is open, as long as the spec means the same hosts."""
        old = self._cloud
        same = old is not None and (old.name, old.path, old.hosts) == (cloud.name, cloud.path, cloud.hosts)
        self._cloud = cloud
        if self._fleet is None or not same:
            if self._fleet:
                self.closing()
                self._fleet.close()
            self._fleet, self._usable, self._memory = Fleet.open(cloud), frozenset(), None
            self.opened(self._fleet)
        return self._fleet

    def _observe(self, fleet: Fleet, report: Report) -> Snapshot:
        """Also when nobody answers, those are sought that do not."""
        self._usable = frozenset()
        snapshot = fleet.observe()
        self.sought(_silent(snapshot))
        report.note(silent=_silent(snapshot))
        self._usable = snapshot.usable
        return snapshot if self._usable else observe(fleet)

    def _lock(self, stack: ExitStack, fleet: Fleet, names: Iterable[str]) -> list[str] | None:
        """Lock these hosts until `stack` is left; who loses the lock before is in the list. None where one of them
        cannot be asked: it answered a moment ago, and seen anew it is one that does not."""
        lost: list[str] = []

        def gone(host: str) -> None:
            lost.append(host)
            self._brake.set()

        try:
            stack.enter_context(locked(fleet, names, self.who, gone))
        except HostError:
            self._usable, self._memory = frozenset(), None
            return None
        return lost

    def _quickly(self, cloud: Cloud, fleet: Fleet, lost: list[str], report: Report) -> bool:
        """Go by what is known, where that is enough; whether it was."""
        known = self._memory
        plan = self._decided(cloud, known, Consent.NONE, report) if known else None
        if known is None or plan is None or not quick(plan):
            return False
        self._carried_out(plan, cloud, fleet, known, lost, report)
        return report.found.ending is not Ending.FAILED

    def _decided(self, cloud: Cloud, snapshot: Snapshot, consent: Consent, report: Report) -> Plan:
        report.blame = Ending.REFUSED
        self.source.seen(cloud, snapshot.deployed(cloud.name))
        report.blame = Ending.FAILED
        shown = frozenset(one.change.address for one in self._held) if consent is not Consent.NONE else frozenset()

        def goes(change: Change) -> bool:
            if quiet(change) and rests(change, self._early):
                late.add(change.address)
                return False
            return quiet(change) or (change.address in shown and consent.covers(change))

        late: set[str] = set()
        whole, part = decide_quiet(cloud, snapshot, self.who, goes)
        if TOGETHER in part.warnings and self._early:
            # What cannot be told apart from it does not wait for it.
            self._early = {}
            late.clear()
            whole, part = decide_quiet(cloud, snapshot, self.who, goes)
        part = replace(part, held=waiting(part.held, self._early))
        report.note(
            silent=_silent(snapshot),
            drift=len(whole.drift),
            repaired=sum(one.repaired for one in part.drift),
            held=part.held,
            resting=tuple(self._early[address] for address in sorted(late)),
            unplaced=whole.unplaced,
        )
        report.blame = Ending.REFUSED
        _confirm_allowed(whole, part)
        if not _was_shown(whole, self._held, consent):
            report.note(held=decide_quiet(cloud, snapshot, self.who, quiet)[1].held)
            raise StaleError("what waits is not what it was when you agreed", "look at it again")
        report.blame = Ending.FAILED
        return part

    def _carried_out(
        self, plan: Plan, cloud: Cloud, fleet: Fleet, snapshot: Snapshot, lost: list[str], report: Report
    ) -> None:
        self._memory = snapshot
        if not plan.steps:
            return
        report.blame = Ending.REFUSED
        self.source.confirm(cloud, snapshot.deployed(cloud.name))
        report.blame = Ending.FAILED
        self.tell(Planned(report.found.number, plan))
        runs: Mapping[str, Mapping[str, int]] = snapshot.runs if not quick(plan) else {}
        said: list[str] = []
        attempt = Attempt(self.who, snapshot.deployed(cloud.name), False, lost, said.append, runs)
        number = report.found.number
        outcome = carry_out(
            plan, cloud, fleet, lambda event: self.tell(Stepped(number, event)), self.parallelism, self._brake, attempt
        )
        if not quick(plan):
            said += [str(one) for one in surprised(plan, outcome, attempt, fleet)]
        if lost:
            said.append(f"the apply lock of {', '.join(lost)} is gone: another apply may work there now")
        report.done(plan, outcome, said)
        self._memory = after(snapshot, plan) if report.found.ending is Ending.APPLIED else None


def _silent(snapshot: Snapshot) -> tuple[str, ...]:
    return tuple(sorted(name for name, host in snapshot.hosts.items() if host.status is HostStatus.UNREACHABLE))


def _confirm_allowed(whole: Plan, part: Plan) -> None:
    """What is refused whatever waits: broken expectations, and what only `apply` may be told to do."""
    # What does not hold whatever is held is broken in both.
    broken = {one.expectation.key: one for one in (*part.broken, *whole.broken)}.values()
    if broken:
        from cloudsync.reach.expect import words

        raise SpecError(
            [Problem(f"{words(one.expectation)} does not hold: {one.because}", one.place) for one in broken]
        )
    if part.mass:
        going = ", ".join(one.group for one in part.mass)
        raise CloudsyncError(f"most of {going} would go", "cloudsync apply asks for that in its own way")


def _was_shown(whole: Plan, shown: tuple[Held, ...], consent: Consent) -> bool:
    """What a person agreed to is what they saw."""
    seen = [one.change for one in shown]
    return consent is Consent.NONE or all(
        quiet(change) or not consent.covers(change) or change in seen for change in whole.changes
    )
