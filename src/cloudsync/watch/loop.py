"""The watch itself: its main thread hears everything, has rounds run in another, and tells whoever listens.

The CLI makes it of its parts and calls `run`; signal handlers call `stop`.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from random import random
from threading import Lock
from time import monotonic

from cloudsync.hosts.fleet import Fleet
from cloudsync.model.dataclass import dataclass
from cloudsync.watch.agenda import Agenda
from cloudsync.watch.backoff import MOST
from cloudsync.watch.happening import Beat, Ended, Ending, Happening, Observer, Ready, RoundEnded
from cloudsync.watch.relapse import Resting
from cloudsync.watch.rounds import Rounds
from cloudsync.watch.scout import Scout
from cloudsync.watch.source import Ear, Source
from cloudsync.watch.trigger import Reason, Trigger

BEAT = 10.0
"""Seconds between two signs of life."""


@dataclass(frozen=True, slots=True)
class _Stop:
    """It is to end."""


_Heard = Trigger | RoundEnded | _Stop | None


@dataclass(slots=True)
class Watch:
    """`every` is in seconds. `observers` are told of everything; `ears` hear of hosts what nobody asked."""

    source: Source
    who: str
    every: float | None = None
    parallelism: int = 4
    observers: Sequence[Observer] = ()
    ears: Sequence[Ear] = ()
    chance: Callable[[], float] = random
    _inbox: "SimpleQueue[_Heard]" = field(default_factory=SimpleQueue)
    _telling: Lock = field(default_factory=Lock)
    _scout: Scout | None = None
    _stopping: bool = False

    @property
    def stopping(self) -> bool:
        """Whether it was heard that it is to end."""
        return self._stopping

    def hear(self, trigger: Trigger) -> None:
        """From any thread."""
        self._inbox.put(trigger)

    def stop(self) -> None:
        """From any thread, or a signal handler: the round that runs finishes its running steps, and no other begins."""
        self._inbox.put(_Stop())

    def run(self) -> bool:
        """Until it is stopped; whether steps were left for the next apply."""
        rounds = Rounds(self.source, self.who, self.parallelism, self.tell, self._opened, self._deafen, self._sought)
        agenda = Agenda(self.every, self.chance)
        try:
            self.source.begin(self.hear)
            self.tell(Ready())
            self.hear(Trigger(Reason.START))
            with ThreadPoolExecutor(1, "round") as worker:
                interrupted = self._turn(agenda, rounds, worker)
        finally:
            self._deafen()
            self.source.end()
            rounds.close()
        self.tell(Ended(interrupted))
        return interrupted

    def tell(self, happening: Happening) -> None:
        """One at a time; who fails to take it stops nothing."""
        with self._telling:
            for observer in self.observers:
                with suppress(Exception):
                    observer(happening)

    def _turn(self, agenda: Agenda, rounds: Rounds, worker: ThreadPoolExecutor) -> bool:
        number, last = 0, Ending.QUIET
        running: Future[RoundEnded] | None = None
        while not self._stopping or agenda.running:
            triggers = () if self._stopping else agenda.next(monotonic())
            if triggers:
                number += 1
                running = worker.submit(rounds.run, number, triggers, self._early(agenda))
                running.add_done_callback(lambda _: self._inbox.put(None))
            heard = self._awaited(agenda.due(monotonic()) if not (self._stopping or agenda.running) else float("inf"))
            if isinstance(heard, Trigger):
                agenda.heard(heard)
            elif isinstance(heard, _Stop):
                rounds.halt()
                self._stopping = True
            if running and running.done():
                round_, running = running.result(), None
                last = round_.ending
                self.tell(replace(round_, again=agenda.ended(round_, monotonic())))
        return number > 0 and last is Ending.INTERRUPTED

    def _early(self, agenda: Agenda) -> Mapping[str, Resting]:
        """What is not to be put right yet, with the time of day when it is."""
        now, clock = monotonic(), datetime.now(UTC)
        return {
            address: Resting(address, one.times, clock + timedelta(seconds=one.due - now))
            for address, one in agenda.resting(now).items()
        }

    def _awaited(self, due: float) -> _Heard:
        """What is heard by then; None at that time, and when a round has ended."""
        while (left := due - monotonic()) > 0:
            try:
                return self._inbox.get(timeout=min(left, BEAT))
            except Empty:
                self.tell(Beat())
        return None

    def _opened(self, fleet: Fleet) -> None:
        self._scout = Scout(fleet, self.hear, self.chance, min(MOST, self.every or MOST))
        for ear in self.ears:
            ear.listen(fleet, self.hear)

    def _sought(self, silent: tuple[str, ...]) -> None:
        if self._scout:
            self._scout.seek(silent)

    def _deafen(self) -> None:
        if self._scout:
            self._scout.end()
            for ear in self.ears:
                ear.end()
            self._scout = None
