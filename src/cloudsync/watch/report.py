"""What is known of a round while it runs: its end as far as that is known. rounds.py fills it in."""

from dataclasses import replace
from typing import Any

from cloudsync.apply.execute import Outcome
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Plan
from cloudsync.model.problem import CloudsyncError, Problem
from cloudsync.model.step import PutDocument
from cloudsync.watch.happening import Ending, RoundEnded
from cloudsync.watch.relapse import mended


@dataclass(slots=True)
class Report:
    """`blame` is what an error means now."""

    found: RoundEnded
    blame: Ending = Ending.FAILED

    def note(self, **fields: Any) -> None:
        """Fields of RoundEnded."""
        self.found = replace(self.found, **fields)

    def again(self) -> None:
        """What it came to was not the last word."""
        self.note(ending=Ending.QUIET, message="", hint="", made=())

    def failed(self, ending: Ending, error: CloudsyncError, problems: tuple[Problem, ...] = ()) -> None:
        self.note(ending=ending, message=error.message, hint=error.hint, problems=problems)

    def done(self, plan: Plan, outcome: Outcome, said: list[str]) -> None:
        left = [step for step in plan.steps if step.id in {*outcome.failed, *outcome.skipped}]
        addresses = {step.address for step in left}
        # What hosts enforce is in their documents alone.
        unaware = {step.host for step in left if isinstance(step, PutDocument)}
        made = tuple(one for one in plan.changes if one.address not in addresses and not unaware & {*one.hosts})
        if outcome.failed:
            said = [f"failed: {', '.join(outcome.failed)}", *said]
        stopped = Ending.INTERRUPTED if outcome.interrupted else Ending.APPLIED
        tried = tuple(dict.fromkeys((*self.found.mended, *mended(plan))))
        self.note(made=made, mended=tried, ending=Ending.FAILED if outcome.failed else stopped, message="; ".join(said))
