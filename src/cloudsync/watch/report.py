"""What is known of a round while it runs, and what is told of it in the end. rounds.py fills it in."""

from dataclasses import dataclass

from cloudsync.apply.execute import Outcome
from cloudsync.model.plan import Change, Held, Plan, Unplaced
from cloudsync.model.problem import CloudsyncError, Problem
from cloudsync.watch.happening import Ending, RoundEnded
from cloudsync.watch.trigger import Trigger


@dataclass(slots=True)
class Report:
    """`blame` is what an error means now."""

    number: int
    triggers: tuple[Trigger, ...]
    blame: Ending = Ending.FAILED
    ending: Ending = Ending.QUIET
    commit: str = ""
    dirty: bool = False
    drift: int = 0
    repaired: int = 0
    made: tuple[Change, ...] = ()
    held: tuple[Held, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    problems: tuple[Problem, ...] = ()
    message: str = ""
    hint: str = ""
    silent: tuple[str, ...] = ()

    def again(self) -> None:
        """What it came to was not the last word."""
        self.ending, self.message, self.hint = Ending.QUIET, "", ""

    def failed(self, ending: Ending, error: CloudsyncError, problems: tuple[Problem, ...] = ()) -> None:
        self.ending, self.message, self.hint, self.problems = ending, error.message, error.hint, problems

    def done(self, plan: Plan, outcome: Outcome, said: list[str]) -> None:
        addresses = {step.address for step in plan.steps if step.id in {*outcome.failed, *outcome.skipped}}
        self.made = tuple(change for change in plan.changes if change.address not in addresses)
        self.ending = Ending.INTERRUPTED if outcome.interrupted else Ending.APPLIED
        self.message = "; ".join(said)
        if outcome.failed:
            self.ending = Ending.FAILED
            self.message = "; ".join([f"failed: {', '.join(outcome.failed)}", *said])

    def ended(self, seconds: float) -> RoundEnded:
        return RoundEnded(
            number=self.number,
            triggers=self.triggers,
            ending=self.ending,
            seconds=seconds,
            commit=self.commit,
            dirty=self.dirty,
            drift=self.drift,
            repaired=self.repaired,
            made=self.made,
            held=self.held,
            unplaced=self.unplaced,
            problems=self.problems,
            message=self.message,
            hint=self.hint,
            silent=self.silent,
        )
