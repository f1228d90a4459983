"""An apply into the journals of the hosts that it works on: that it begins, and how it ended. The pipeline calls it.

A host that cannot write it down (an older agent, a full disk) is told of, and stops nothing: the others have it.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from cloudsync.apply.driver import Driver
from cloudsync.apply.events import Event, Failed
from cloudsync.apply.execute import Outcome
from cloudsync.model import wire
from cloudsync.model.document import Applied
from cloudsync.model.journal import MOST_CHANGES, MOST_FAILURES, Began, Did, End, Ended, Line
from cloudsync.model.plan import Plan
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.snapshot import HostStatus
from cloudsync.model.step import MoveInstance, Step

Complain = Callable[[str], None]
_AT_ONCE = 32


def began(plan: Plan, applied: Applied, key: str, version: str, forced: bool) -> Began:
    """What is written down before the first step; `key` is the apply's own."""
    told = {change.address for change in plan.changes}
    done = [Did(action=change.action.value, address=change.address) for change in plan.changes]
    mended = dict.fromkeys(one.address for one in plan.drift if one.repaired and one.address not in told)
    done += [Did(action="repair", address=address) for address in mended]
    return Began(
        id=key,
        cloud=plan.cloud,
        applied=applied,
        plan=wire.digest(plan.changes),
        version=version,
        forced=forced,
        changes=tuple(done[:MOST_CHANGES]),
        more=len(done[MOST_CHANGES:]),
        steps=len(plan.steps),
    )


class Record:
    """`seen` takes what the executor tells, from several threads."""

    def __init__(self, plan: Plan, drivers: Mapping[str, Driver], begins: Began, complain: Complain) -> None:
        held = [name for name, host in sorted(plan.hosts.items()) if HostStatus(host.status).usable]
        self._drivers = [drivers[name] for name in held]
        self._begins = begins
        self._complain = complain
        self._failures: list[str] = []

    def begin(self) -> None:
        """Returns when every host has it on its disk, or has said why not."""
        silent = self._tell(self._drivers, self._begins)
        self._drivers = [driver for driver in self._drivers if driver.name not in silent]
        self._say(silent, "this apply")

    def seen(self, event: Event) -> None:
        if isinstance(event, Failed):
            self._failures.append(f"{_titled(event.step)}: {event.message}")

    def end(self, outcome: Outcome, at: str, lost: Sequence[str]) -> None:
        """`lost` are hosts whose lock was gone before."""
        how = End.FAILED if outcome.failed else End.INTERRUPTED if outcome.interrupted else End.DONE
        failures = [f"the lock of host {name} was lost" for name in lost] + self._failures
        ended = Ended(
            id=self._begins.id,
            at=at,
            end=End.LOST if lost else how,
            done=len(outcome.succeeded),
            failed=len(outcome.failed),
            skipped=len(outcome.skipped),
            failures=tuple(failures[:MOST_FAILURES]),
        )
        self._say(self._tell(self._drivers, ended), "how this apply ended")

    def _tell(self, drivers: Sequence[Driver], line: Line) -> dict[str, CloudsyncError]:
        """Who did not write it down, and why."""

        def told(driver: Driver) -> CloudsyncError | None:
            try:
                driver.journal().note(line)
            except CloudsyncError as error:
                return error
            return None

        with ThreadPoolExecutor(min(_AT_ONCE, max(1, len(drivers)))) as pool:
            answers = zip(drivers, pool.map(told, drivers), strict=True)
            return {driver.name: error for driver, error in answers if error is not None}

    def _say(self, silent: Mapping[str, CloudsyncError], what: str) -> None:
        """Those that say the same, once."""
        hosts: dict[tuple[str, str], list[str]] = {}
        for name, error in silent.items():
            hosts.setdefault((error.message.removeprefix(f"{name}: "), error.hint), []).append(name)
        for (message, hint), names in hosts.items():
            self._complain(f"warning: {what} is not in the journal of {', '.join(names)}: {message}\nhint: {hint}")


def _titled(step: Step) -> str:
    if isinstance(step, MoveInstance):
        return f"{step.kind} {step.address} from {step.source} to {step.host}"
    return f"{step.kind} {step.address} on {step.host}"
