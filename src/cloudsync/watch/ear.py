"""Listens to all hosts at once for what nobody asked: a guest that crashed, a ruleset that somebody changed.

Implements source.Ear, and observes the watch: what its own steps do is no news. A guest that crashes again and again
is told of less and less often, so that starting it is not all that the watch does.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Lock, Thread, Timer
from time import monotonic

from cloudsync.apply.driver import Driver
from cloudsync.apply.events import Failed, Finished, Started
from cloudsync.hosts.attend import Heard, attending
from cloudsync.hosts.fleet import Fleet
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.step import Step
from cloudsync.watch.happening import Happening, Stepped
from cloudsync.watch.trigger import Reason, Tell, Trigger

Attend = Callable[[Driver, Heard, Callable[[], None]], AbstractContextManager[None]]

_FIRST, _MOST = 1.0, 300.0
"""Seconds before somebody is told again of the same guest: doubled each time."""

_CALM = 600.0
"""Seconds without a word of it, after which it is told of at once again."""

_AGAIN, _SELDOM = 1.0, 60.0
"""Seconds before a host that is not heard is listened to again: doubled each time."""

_PATIENCE = 2.0
"""Seconds that `listen` waits for the hosts, so that nothing is missed between listening and looking."""


@dataclass(slots=True)
class _Voice:
    """Who is told of: when last, and how long nobody is to be told again."""

    at: float = 0.0
    pause: float = 0.0
    words: str = ""
    timer: Timer | None = None


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

    def __init__(self, first: float = _FIRST, again: float = _AGAIN, attend: Attend = attending) -> None:
        """`first` and `again` are seconds."""
        self._first, self._again, self._to = first, again, attend
        self._lock = Lock()
        self._now: _Listening | None = None
        self._voices: dict[str, _Voice] = {}
        self._working: Counter[str] = Counter()

    def __call__(self, happening: Happening) -> None:
        """An observer of the watch."""
        if isinstance(happening, Stepped):
            event = happening.event
            change = 1 if isinstance(event, Started) else -1 if isinstance(event, Finished | Failed) else 0
            with self._lock:
                self._working[_machine(event.step)] += change

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
        with self._lock:
            timers = [voice.timer for voice in self._voices.values() if voice.timer]
            self._voices.clear()
            self._working.clear()
        for timer in timers:
            timer.cancel()
        for lost in now.lost:
            lost.set()
        for thread in now.threads:
            thread.join(_PATIENCE)

    def _attend(self, now: _Listening, driver: Driver, lost: Event, ready: Event) -> None:
        """In a thread of its own, until it is over. What happened while a host was not heard, nobody knows."""
        pause = self._again
        while not now.over.is_set():
            lost.clear()
            with suppress(CloudsyncError), self._to(driver, partial(self._heard, now, driver.name), lost.set):
                pause = self._again
                if now.begun:
                    now.tell(Trigger(Reason.EVENT, f"{driver.name} is heard again"))
                ready.set()
                if not now.over.is_set():
                    lost.wait()
            ready.set()
            now.over.wait(pause)
            pause = min(_SELDOM, pause * 2)

    def _heard(self, now: _Listening, host: str, uuid: str, words: str) -> None:
        """From any thread, which must not wait."""
        if now.over.is_set():
            return
        with self._lock:
            if uuid and self._working[uuid] > 0:
                return
            voice = self._voices.setdefault(uuid or host, _Voice())
            voice.words = words
            if voice.timer is not None:
                return
            since = monotonic() - voice.at
            if voice.at and since < _CALM:
                voice.pause = min(_MOST, voice.pause * 2 or self._first)
            else:
                voice.pause = 0.0
            left = voice.pause - since if voice.at else 0.0
            if left > 0:
                voice.timer = Timer(left, self._late, (now, voice))
                voice.timer.name, voice.timer.daemon = "ear", True
                voice.timer.start()
                return
            voice.at = monotonic()
        now.tell(Trigger(Reason.EVENT, words))

    def _late(self, now: _Listening, voice: _Voice) -> None:
        with self._lock:
            voice.at, voice.timer = monotonic(), None
        if not now.over.is_set():
            now.tell(Trigger(Reason.EVENT, voice.words))


def _machine(step: Step) -> str:
    """Whom it works on; empty for what no machine is."""
    instance = getattr(step, "instance", None)
    return str(getattr(step, "uuid", "") or getattr(instance, "uuid", ""))
