"""Listens to all hosts at once for what nobody asked: a guest that crashed, a ruleset that somebody changed.

Implements source.Ear, and observes the watch: what becomes of a machine in a round that has a step for it is no news.
After a round the watch looks once more by itself.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import field
from functools import partial
from threading import Event, Thread
from time import monotonic

from cloudsync.apply.driver import Driver
from cloudsync.hosts.attend import Heard, attending
from cloudsync.hosts.fleet import Fleet
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.step import Step
from cloudsync.watch.happening import Happening, RoundEnded, Stepped
from cloudsync.watch.trigger import Reason, Tell, Trigger

Attend = Callable[[Driver, Heard, Callable[[], None]], AbstractContextManager[None]]

_AGAIN, _SELDOM = 1.0, 60.0
"""Seconds before a host that is not heard is listened to again: doubled each time."""

_PATIENCE = 2.0
"""Seconds that `listen` waits for the hosts, so that nothing is missed between listening and looking."""


@dataclass(slots=True)
class _Listening:
    """One fleet that is listened to. `lost` are what its threads wait for; `begun` once somebody may have looked."""

    tell: Tell
    begun: bool = False
    over: Event = field(default_factory=Event)
    lost: list[Event] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)


class HostEar:
    """Its threads end with `end`, which comes before the fleet is closed."""

    def __init__(self, again: float = _AGAIN, attend: Attend = attending) -> None:
        """`again` is in seconds."""
        self._again, self._to = again, attend
        self._now: _Listening | None = None
        self._touched: set[str] = set()

    def __call__(self, happening: Happening) -> None:
        """An observer of the watch."""
        if isinstance(happening, Stepped):
            self._touched.add(_machine(happening.event.step))
        elif isinstance(happening, RoundEnded):
            self._touched.clear()

    def listen(self, fleet: Fleet, tell: Tell) -> None:
        now = self._now = _Listening(tell)
        attended = []
        for driver in fleet.drivers.values():
            lost, ready = Event(), Event()
            words = (now, driver, lost, ready)
            thread = Thread(target=self._attend, args=words, name=f"ear {driver.name}", daemon=True)
            now.lost.append(lost)
            now.threads.append(thread)
            attended.append(ready)
            thread.start()
        deadline = monotonic() + _PATIENCE
        for ready in attended:
            ready.wait(max(0.0, deadline - monotonic()))
        now.begun = True

    def end(self) -> None:
        now, self._now = self._now, None
        if now is None:
            return
        now.over.set()
        self._touched.clear()
        for lost in now.lost:
            lost.set()
        for thread in now.threads:
            thread.join(_PATIENCE)

    def _attend(self, now: _Listening, driver: Driver, lost: Event, ready: Event) -> None:
        """In a thread of its own, until it is over. What happened while a host was not heard, nobody knows."""
        pause = self._again
        while not now.over.is_set():
            lost.clear()
            with suppress(CloudsyncError), self._to(driver, partial(self._heard, now), lost.set):
                pause = self._again
                if now.begun:
                    now.tell(Trigger(Reason.EVENT, f"{driver.name} is heard again"))
                ready.set()
                if not now.over.is_set():
                    lost.wait()
            ready.set()
            now.over.wait(pause)
            pause = min(_SELDOM, pause * 2)

    def _heard(self, now: _Listening, uuid: str, about: str, words: str) -> None:
        """From any thread, which must not wait."""
        if not now.over.is_set() and not (uuid and uuid in self._touched):
            now.tell(Trigger(Reason.EVENT, words, about))


def _machine(step: Step) -> str:
    """Whom it works on; empty for what no machine is."""
    instance = getattr(step, "instance", None)
    return str(getattr(step, "uuid", "") or getattr(instance, "uuid", ""))
