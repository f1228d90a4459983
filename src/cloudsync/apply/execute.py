"""Carry out a plan's steps: all that are ready at once, each after what it waits for. Decides nothing."""

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from graphlib import TopologicalSorter
from threading import Event as Flag

from cloudsync.apply.attempt import attempt, left, patience
from cloudsync.apply.driver import Blobs, Driver, Progress
from cloudsync.apply.events import Event, Failed, Finished, Progressed, Skipped, Started
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Plan
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.step import AwaitInstance, MoveInstance, Step

Listener = Callable[[Event], None]
STOPPED = "the apply was stopped before"
_GLANCE = 0.5
"""Seconds. A signal that another thread gets, or that comes just before this one begins to wait, does not wake it: a
move of an hour would be over before Ctrl-C is heard."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Ids of steps, each in one of the three; `interrupted` when the stop flag kept steps from starting."""

    succeeded: tuple[str, ...]
    failed: tuple[str, ...]
    skipped: tuple[str, ...]
    interrupted: bool = False


def execute(
    plan: Plan,
    drivers: Mapping[str, Driver],
    blobs: Blobs,
    listener: Listener,
    parallelism: int,
    stop: Flag,
    silence: Callable[[Step], float] = patience,
) -> Outcome:
    """Run the step graph on `parallelism` threads. A step that says nothing for `silence`, in seconds, has failed.

    What waits for a failed step is skipped, the rest goes on. Once `stop` is set no step starts any more; running ones
    finish. `listener` is called from several threads; one that fails (nobody reads it any more) stops nothing.
    """
    run = _Run(plan, drivers, blobs, listener, stop, silence)
    with ThreadPoolExecutor(max_workers=max(1, parallelism)) as pool:
        running: dict[Future[str | None], str] = {}
        while run.graph.is_active():
            for step_id in run.ready():
                running[pool.submit(run.perform, run.steps[step_id])] = step_id
            if running:
                finished, _ = wait(running, _GLANCE, FIRST_COMPLETED)
                for future in finished:
                    run.settle(running.pop(future), future.result())
    return run.outcome()


class _Run:
    """One apply: what is done, what failed, what was skipped because of what."""

    def __init__(
        self,
        plan: Plan,
        drivers: Mapping[str, Driver],
        blobs: Blobs,
        listener: Listener,
        stop: Flag,
        silence: Callable[[Step], float],
    ) -> None:
        self.steps = {step.id: step for step in plan.steps}
        self.graph = TopologicalSorter({step.id: step.waits_for for step in plan.steps})
        self.graph.prepare()
        self._drivers, self._blobs, self._listener, self._stop = drivers, blobs, listener, stop
        self._silence = silence
        self._succeeded: list[str] = []
        self._failed: list[str] = []
        self._skipped: dict[str, str] = {}
        self._interrupted = False

    def ready(self) -> list[str]:
        """Steps to start now; those that must be skipped are settled here, which may make more ready."""
        start: list[str] = []
        fresh = list(self.graph.get_ready())
        while fresh:
            for step_id in fresh:
                because = self._why_not(self.steps[step_id])
                if because:
                    self._skipped[step_id] = because
                    self._tell(Skipped(self.steps[step_id], because))
                    self.graph.done(step_id)
                else:
                    start.append(step_id)
            fresh = list(self.graph.get_ready())
        return start

    def perform(self, step: Step) -> str | None:
        """The failure's text, or None. A driver's bug fails its step, not the apply."""
        if self._stop.is_set():
            self._interrupted = True
            return ""
        self._tell(Started(step))
        try:
            attempt(step, partial(self._act, step), partial(self._progressed, step), self._stop, self._silence)
        except CloudsyncError as error:
            self._tell(Failed(step, error.message, error.hint, left(step)))
            return error.message
        except Exception as error:
            message = f"unexpected {type(error).__name__}: this is a bug in cloudsync"
            self._tell(Failed(step, message, "please report it", left(step)))
            return message
        self._tell(Finished(step))
        return None

    def _act(self, step: Step, progress: Progress) -> None:
        driver = self._drivers[step.host]
        if isinstance(step, MoveInstance):
            driver.receive(step, self._drivers[step.source], progress, self._stop)
        elif isinstance(step, AwaitInstance):
            driver.wait_back(step, progress, self._stop)
        else:
            driver.perform(step, self._blobs, progress)

    def settle(self, step_id: str, failure: str | None) -> None:
        """Record one step's end; an empty failure means that the interruption came before it started."""
        if failure is None:
            self._succeeded.append(step_id)
        elif failure:
            self._failed.append(step_id)
        else:
            self._skipped[step_id] = STOPPED
            self._tell(Skipped(self.steps[step_id], STOPPED))
        self.graph.done(step_id)

    def outcome(self) -> Outcome:
        return Outcome(tuple(self._succeeded), tuple(self._failed), tuple(self._skipped), self._interrupted)

    def _progressed(self, step: Step, text: str) -> None:
        self._tell(Progressed(step, text))

    def _tell(self, event: Event) -> None:
        with suppress(Exception):
            self._listener(event)

    def _why_not(self, step: Step) -> str:
        if self._stop.is_set():
            self._interrupted = True
            return STOPPED
        for other in step.waits_for:
            if other in self._failed:
                return f"{other} failed"
            if other in self._skipped:
                return self._skipped[other]
        return ""
