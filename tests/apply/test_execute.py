"""The step graph: order, failure, interruption, and drivers that misbehave."""

import signal
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import get_args, get_type_hints

import pytest

from cloudsync.apply.attempt import left
from cloudsync.apply.driver import Blobs, Progress
from cloudsync.apply.events import Event, Failed, Finished, Progressed, Skipped, Started
from cloudsync.apply.execute import STOPPED, Outcome, execute
from cloudsync.hosts.sim import SimHost
from cloudsync.model.plan import Plan
from cloudsync.model.problem import HostError, TransientError
from cloudsync.model.step import StartInstance, Step
from cloudsync.render.progress import VERBS
from tests.effort import PATIENCE


class Scripted(SimHost):
    """Does what `acts` says for a step's id, and nothing for the rest."""

    def __init__(self, acts: dict[str, Callable[[Progress], None]]) -> None:
        super().__init__("h", "sim:", None)
        self.acts = acts
        self.done: list[str] = []

    def perform(self, step: Step, blobs: Blobs, progress: Progress) -> None:
        act = self.acts.get(step.id)
        if act:
            act(progress)
        self.done.append(step.id)


def plan(**waits: str) -> Plan:
    """Steps by id; each waits for the ids in its text."""
    steps = tuple(
        StartInstance(id=name, host="h", address=f"instance.{name}", waits_for=tuple(words.split()), uuid=name)
        for name, words in waits.items()
    )
    return Plan(cloud="demo", steps=steps)


def run(
    driver: Scripted, made: Plan, threads: int = 1, stop: threading.Event | None = None
) -> tuple[Outcome, list[Event]]:
    events: list[Event] = []
    outcome = execute(made, {"h": driver}, {}, events.append, threads, stop or threading.Event())
    return outcome, events


def fail(_progress: Progress) -> None:
    raise HostError("no room", "make some")


def test_each_comes_after_what_it_waits_for() -> None:
    driver = Scripted({})
    outcome, events = run(driver, plan(c="b", b="a", a=""))
    assert driver.done == ["a", "b", "c"]
    assert outcome == Outcome(("a", "b", "c"), (), ())
    assert [type(event) for event in events] == [Started, Finished] * 3


def test_what_waits_for_a_failed_one_is_skipped_and_the_rest_goes_on() -> None:
    driver = Scripted({"a": fail})
    outcome, events = run(driver, plan(a="", b="a", c="b", d=""))
    assert driver.done == ["d"]
    assert (outcome.failed, set(outcome.skipped), outcome.interrupted) == (("a",), {"b", "c"}, False)
    assert {event.step.id: event.because for event in events if isinstance(event, Skipped)} == {
        "b": "a failed",
        "c": "a failed",
    }
    failed = next(event for event in events if isinstance(event, Failed))
    assert (failed.message, failed.hint) == ("no room", "make some")


@pytest.mark.slow
def test_what_may_go_by_itself_is_tried_again_and_what_will_not_is_not() -> None:
    tries = {"a": 0, "b": 0}

    def busy(_progress: Progress) -> None:
        tries["a"] += 1
        if tries["a"] == 1:
            raise TransientError("a job holds it", "wait")

    def broken(_progress: Progress) -> None:
        tries["b"] += 1
        raise HostError("no room", "make some")

    outcome, events = run(Scripted({"a": busy, "b": broken}), plan(a="", b=""))
    assert (outcome.succeeded, outcome.failed, tries) == (("a",), ("b",), {"a": 2, "b": 1})
    assert [event.text for event in events if isinstance(event, Progressed)] == ["a job holds it; once more in 1 s"]


def test_an_interruption_ends_the_tries() -> None:
    stop = threading.Event()

    def busy(_progress: Progress) -> None:
        stop.set()
        raise TransientError("a job holds it")

    outcome, _ = run(Scripted({"a": busy}), plan(a=""), stop=stop)
    assert outcome.failed == ("a",)


@pytest.mark.slow
def test_a_step_that_says_nothing_is_given_up_and_one_that_talks_is_not() -> None:
    released, spoken = threading.Event(), threading.Event()

    def mute(_progress: Progress) -> None:
        released.wait(PATIENCE)

    def talking(progress: Progress) -> None:
        """For longer than it may be silent."""
        for _ in range(30):
            spoken.wait(0.05)
            progress("on it")

    events: list[Event] = []
    driver = Scripted({"mute": mute, "talks": talking})
    made, limits = plan(mute="", after="mute", talks=""), {"mute": 0.5, "talks": 1.0}
    outcome = execute(made, {"h": driver}, {}, events.append, 2, threading.Event(), lambda step: limits[step.id])
    released.set()
    assert (outcome.succeeded, outcome.failed, outcome.skipped) == (("talks",), ("mute",), ("after",))
    failed = next(event for event in events if isinstance(event, Failed))
    assert failed.message == "host h: nothing was heard of it for 0.5 s; it may still go on there"
    assert failed.left == "it may be off; the next apply takes care of that"


def test_every_kind_of_step_says_what_it_leaves() -> None:
    kinds = {get_args(get_type_hints(kind)["kind"])[0] for kind in get_args(Step)}
    assert set(VERBS) == kinds
    for name in kinds:
        assert "some of it may be done" not in left(SimpleNamespace(kind=name))  # type: ignore[arg-type]


def test_one_of_two_failing_is_enough() -> None:
    driver = Scripted({"a": fail})
    outcome, _ = run(driver, plan(a="", b="", c="a b"))
    assert (outcome.succeeded, outcome.failed, outcome.skipped) == (("b",), ("a",), ("c",))


def test_a_bug_in_a_driver_fails_its_step_and_shows_nothing_of_itself() -> None:
    def bug(_progress: Progress) -> None:
        raise KeyError("swordfish")

    outcome, events = run(Scripted({"a": bug}), plan(a="", b=""))
    assert (outcome.succeeded, outcome.failed) == (("b",), ("a",))
    failed = next(event for event in events if isinstance(event, Failed))
    assert "KeyError" in failed.message
    assert "swordfish" not in failed.message + failed.hint


def test_a_host_without_a_driver_fails_its_step() -> None:
    outcome = execute(plan(a=""), {}, {}, lambda event: None, 1, threading.Event())
    assert outcome.failed == ("a",)


def test_an_interruption_lets_running_steps_finish_and_starts_no_other() -> None:
    """`a` and `b` run at once: `a` interrupts while `b` is under way, and `b` still finishes."""
    stop, both = threading.Event(), threading.Barrier(2, timeout=PATIENCE)

    def first(_progress: Progress) -> None:
        both.wait()
        stop.set()

    def second(_progress: Progress) -> None:
        both.wait()
        assert stop.wait(PATIENCE)

    driver = Scripted({"a": first, "b": second})
    outcome, events = run(driver, plan(a="", b="", c="a", d="c"), threads=2, stop=stop)
    assert (set(outcome.succeeded), set(outcome.skipped), outcome.interrupted) == ({"a", "b"}, {"c", "d"}, True)
    assert all(event.because == STOPPED for event in events if isinstance(event, Skipped))


def test_queued_steps_do_not_start_after_an_interruption() -> None:
    stop = threading.Event()
    driver = Scripted({"a": lambda progress: stop.set()})
    outcome, _ = run(driver, plan(a="", b="", c=""), stop=stop)
    assert driver.done == ["a"]
    assert (outcome.succeeded, set(outcome.skipped), outcome.interrupted) == (("a",), {"b", "c"}, True)


def test_steps_run_at_the_same_time_and_no_more_than_allowed() -> None:
    """Four steps on two threads: two meet each time, and never a third."""
    meeting = threading.Barrier(2, timeout=PATIENCE)
    running, most, lock = [0], [0], threading.Lock()

    def meet(_progress: Progress) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        meeting.wait()
        with lock:
            running[0] -= 1

    driver = Scripted(dict.fromkeys("abcd", meet))
    outcome, _ = run(driver, plan(a="", b="", c="", d=""), threads=2)
    assert len(outcome.succeeded) == 4
    assert most == [2]


def test_progress_is_told() -> None:
    driver = Scripted({"a": lambda progress: progress("12% of 520 MiB")})
    _, events = run(driver, plan(a=""))
    assert [event.text for event in events if isinstance(event, Progressed)] == ["12% of 520 MiB"]


def test_an_empty_plan_is_done_at_once() -> None:
    assert run(Scripted({}), plan())[0] == Outcome((), (), ())


def test_an_interruption_that_wakes_nobody_is_noticed_while_a_step_runs() -> None:
    """The kernel may give a signal to any thread; Python's main thread has to look by itself then."""
    stop = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())

    def aside(_progress: Progress) -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        if not stop.wait(PATIENCE):
            raise HostError("nobody noticed", "look now and then")

    try:
        outcome, _ = run(Scripted({"a": aside}), plan(a="", b="a"), stop=stop)
    finally:
        signal.signal(signal.SIGINT, before)
    assert outcome == Outcome(("a",), (), ("b",), interrupted=True)
