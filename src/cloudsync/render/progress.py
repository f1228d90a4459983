"""What happens during an apply: a live list on a terminal (Rich), plain lines elsewhere."""

import sys
from collections.abc import Callable
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from cloudsync.apply.events import Event, Failed, Finished, Progressed, Skipped, Started
from cloudsync.apply.execute import Outcome
from cloudsync.model.plan import Plan
from cloudsync.model.step import MoveInstance, PutDocument, Step
from cloudsync.spec.words import printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

VERBS = {
    "put-image": "image",
    "delete-image": "remove image",
    "put-document": "network, firewall and metadata",
    "create-instance": "create",
    "update-instance": "update",
    "move-instance": "move",
    "start-instance": "start",
    "stop-instance": "stop",
    "await-instance": "wait for",
    "delete-instance": "delete",
    "delete-disk": "remove disk of",
}

RARELY = 5.0
"""Seconds between two lines about one long step where there is no terminal to draw on."""


def title(step: Step) -> str:
    """`create instance.web-1 on kvm-1`."""
    if step.kind == "put-document":
        return printable(f"{VERBS[step.kind]} on {step.host}")
    if isinstance(step, MoveInstance):
        return printable(f"{VERBS[step.kind]} {step.address} from {step.source} to {step.host}")
    return printable(f"{VERBS[step.kind]} {step.address} on {step.host}")


def _said(step: Step, text: str) -> str:
    """Without the host, which the title has named."""
    return printable(text.removeprefix(f"host {step.host}: "))


def _shown(text: str) -> str:
    """For Rich: brackets in it are no markup."""
    from rich.markup import escape

    return escape(text)


class Screen:
    """Hand `seen` to the executor; it may be called from several threads. `clock` counts seconds."""

    def __init__(self, plan: Plan, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._total = len(plan.steps)
        self._lock = Lock()
        self._began: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._done = 0
        self._live: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._unwritten: dict[str, dict[str, None]] = {}

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            self._live = Progress(*columns, console=Console(stderr=True), transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for because, hosts in self._unwritten.items():
            self._say(f"skipped {VERBS['put-document']} on {printable(', '.join(hosts))}: {printable(because)}")
        if self._live:
            self._live.stop()

    def seen(self, event: Event) -> None:
        """Show one event."""
        handlers: dict[type[Event], Callable[[Any], None]] = {
            Started: self._started,
            Progressed: self._progressed,
            Finished: self._finished,
            Failed: self._failed,
            Skipped: self._skipped,
        }
        with self._lock:
            handlers[type(event)](event)

    def summary(self, outcome: Outcome) -> str:
        """The last line."""
        words = [f"{len(outcome.succeeded)} of {self._total} steps done"]
        words += [f"{len(outcome.failed)} failed"] if outcome.failed else []
        words += [f"{len(outcome.skipped)} skipped"] if outcome.skipped else []
        if outcome.failed or outcome.skipped:
            return "Apply incomplete: " + ", ".join(words) + ". The next apply goes on from here."
        return "Applied: " + ", ".join(words) + "."

    def _started(self, event: Started) -> None:
        self._began[event.step.id] = self._told[event.step.id] = self._clock()
        if self._live:
            self._tasks[event.step.id] = self._live.add_task(_shown(title(event.step)))
        else:
            self._line(f"{title(event.step)} …")

    def _progressed(self, event: Progressed) -> None:
        step, line = event.step, f"{title(event.step)}: {_said(event.step, event.text)}"
        if self._live and step.id in self._tasks:
            self._live.update(self._tasks[step.id], description=_shown(line))
        elif not self._live and self._clock() - self._told.get(step.id, 0.0) >= RARELY:
            self._told[step.id] = self._clock()
            self._line(line)

    def _finished(self, event: Finished) -> None:
        self._done += 1
        self._end(event.step, f"[{self._done}/{self._total}] {title(event.step)}: done in {self._took(event.step)}")

    def _failed(self, event: Failed) -> None:
        more = "".join(
            f"\n    {word}: {printable(text)}" for word, text in (("hint", event.hint), ("left", event.left)) if text
        )
        self._end(event.step, f"FAILED {title(event.step)}: {_said(event.step, event.message)}{more}")

    def _skipped(self, event: Skipped) -> None:
        """Documents are put several times, and all of a host, or none: told at the end, once."""
        if isinstance(event.step, PutDocument):
            self._unwritten.setdefault(event.because, {})[event.step.host] = None
            return
        self._end(event.step, f"skipped {title(event.step)}: {printable(event.because)}")

    def _took(self, step: Step) -> str:
        return f"{self._clock() - self._began.get(step.id, self._clock()):.1f} s"

    def _end(self, step: Step, line: str) -> None:
        if self._live:
            task = self._tasks.pop(step.id, None)
            if task is not None:
                self._live.remove_task(task)
        self._say(line)

    def _say(self, line: str) -> None:
        if self._live:
            self._live.console.print(line, markup=False, highlight=False)
        else:
            self._line(line)

    def _line(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
