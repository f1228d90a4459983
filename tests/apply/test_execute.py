"""The step graph on threads: what waits, what is skipped because of what, and what an interruption leaves."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cloudsync.apply.driver import Blobs, Progress
from cloudsync.apply.events import Event, Failed, Finished, Skipped, Started
from cloudsync.apply.execute import Outcome, execute
from cloudsync.model.plan import Plan, StartInstance, Step
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import Boot, HostState, HostStatus


class Script:
    """A host whose steps do what the test wrote for their uuid."""

    name = "h1"

    def __init__(self, **acts: Callable[[], None]) -> None:
        self.acts = acts
        self.done: list[str] = []

    def observe(self) -> HostState:
        return HostState(name=self.name, status=HostStatus.READY)

    def perform(self, step: Step, blobs: Blobs, progress: Progress) -> None:
        assert isinstance(step, StartInstance)
        self.acts.get(step.uuid, lambda: None)()
        self.done.append(step.uuid)

    @contextmanager
    def lock(self, who: str) -> Iterator[None]:
        yield

    def wait_booted(self, uuids: frozenset[str], seen: Callable[[Boot], None], timeout: float) -> None:
        assert not uuids

    def console_log(self, uuid: str) -> bytes:
        return b""

    def close(self) -> None:
        self.acts.clear()


def step(name: str, *waits_for: str) -> StartInstance:
    return StartInstance(id=name, host="h1", address=f"instance.{name}", uuid=name, waits_for=waits_for)


def run(
    host: Script, *steps: Step, threads: int = 4, stop: threading.Event | None = None
) -> tuple[Outcome, list[Event]]:
    events: list[Event] = []
    flag = stop or threading.Event()
    return execute(Plan(cloud="demo", steps=steps), {"h1": host}, {}, events.append, threads, flag), events


def refuse() -> None:
    raise HostError("the pool is full", "make room")


def stumble() -> None:
    raise ZeroDivisionError("secret words")


def test_what_waits_comes_after_what_it_waits_for() -> None:
    host = Script()
    outcome, _ = run(host, step("c", "b"), step("b", "a"), step("a"))
    assert host.done == ["a", "b", "c"]
    assert set(outcome.succeeded) == {"a", "b", "c"}
    assert not outcome.failed + outcome.skipped


def test_what_is_ready_runs_at_once() -> None:
    together = threading.Barrier(3, timeout=30)

    def meet() -> None:
        together.wait()

    outcome, _ = run(Script(a=meet, b=meet, c=meet), step("a"), step("b"), step("c"))
    assert len(outcome.succeeded) == 3


def test_a_failure_skips_what_stood_on_it_and_nothing_else() -> None:
    host = Script(a=refuse)
    outcome, events = run(host, step("a"), step("b", "a"), step("c", "b"), step("d"))
    assert (outcome.failed, set(outcome.skipped), outcome.succeeded) == (("a",), {"b", "c"}, ("d",))
    assert not outcome.interrupted
    failed = next(event for event in events if isinstance(event, Failed))
    assert (failed.message, failed.hint) == ("the pool is full", "make room")
    assert {event.step.id: event.because for event in events if isinstance(event, Skipped)} == {
        "b": "a failed",
        "c": "a failed",
    }


def test_a_bug_in_a_driver_fails_its_step_without_its_words() -> None:
    outcome, events = run(Script(a=stumble), step("a"), step("b"))
    assert (outcome.failed, outcome.succeeded) == (("a",), ("b",))
    assert "secret words" not in repr(events)


def test_an_interruption_lets_running_steps_finish_and_starts_no_other() -> None:
    stop = threading.Event()
    host = Script(a=stop.set)
    outcome, events = run(host, step("a"), step("b", "a"), step("c", "b"), threads=1, stop=stop)
    assert outcome.interrupted
    assert (outcome.succeeded, set(outcome.skipped)) == (("a",), {"b", "c"})
    assert host.done == ["a"]
    assert [type(event) for event in events[:2]] == [Started, Finished]


def test_an_interruption_after_the_last_step_is_none() -> None:
    stop = threading.Event()
    outcome, _ = run(Script(a=stop.set), step("a"), stop=stop)
    assert not outcome.interrupted


def test_a_queued_step_is_skipped_when_interrupted() -> None:
    stop = threading.Event()
    outcome, _ = run(Script(a=stop.set), step("a"), step("b"), step("c"), threads=1, stop=stop)
    assert outcome.succeeded == ("a",)
    assert set(outcome.skipped) == {"b", "c"}
