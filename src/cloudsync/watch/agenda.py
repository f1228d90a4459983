"""What the watch does next: triggers and the ends of rounds in, the next round out. Pure; loop.py gives it the time.

One round at a time; what is heard meanwhile is for the next one, and many reasons make one round.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from cloudsync.watch.backoff import MOST, backoff
from cloudsync.watch.happening import Ending, RoundEnded
from cloudsync.watch.trigger import Reason, Trigger

AGAIN = frozenset({Ending.FAILED, Ending.LOCKED, Ending.INTERRUPTED})
"""What may be over by itself. A broken spec waits for a save."""

UNASKED = frozenset({Reason.EVENT, Reason.CONFIRM})
"""Nobody asked for it. Where what it repairs does not stay so, it comes later and later."""

CALM = 600.0
"""Seconds without such a repair after which the next one is made at once again."""

CONFIRM = 2.0
"""Seconds after an apply that nothing followed: then it is looked at what has become of it."""


@dataclass(slots=True)
class Agenda:
    """`every` is in seconds, None for never; `chance` gives a number from 0 to 1."""

    every: float | None
    chance: Callable[[], float]
    waiting: list[Trigger] = field(default_factory=list)
    running: bool = False
    _interval: float | None = None
    _retry: float | None = None
    _confirm: float | None = None
    _tries: int = 0
    _event: float | None = None
    _answered: float | None = None
    _repairs: int = 0
    _repaired: float = 0.0

    def heard(self, trigger: Trigger, now: float) -> None:
        """An event waits its turn where the answer to the last ones did not help: a guest that crashes on and on is not
        started a hundred times a minute."""
        if trigger.reason is Reason.EVENT and self._event is None:
            self._event = now
        self.waiting.append(trigger)

    def next(self, now: float) -> tuple[Trigger, ...]:
        """Why a round is to begin now; empty for not yet. It counts as begun."""
        if self.running or self.due(now) > now:
            return ()
        if self._interval is not None and self._interval <= now:
            self.waiting.append(Trigger(Reason.INTERVAL))
        if self._retry is not None and self._retry <= now:
            self.waiting.append(Trigger(Reason.RETRY))
        if self._confirm is not None and self._confirm <= now:
            self.waiting.append(Trigger(Reason.CONFIRM))
        found, self.waiting = tuple(dict.fromkeys(self.waiting)), []
        if any(one.reason is Reason.EVENT for one in found):
            self._answered = now
        self._interval = self._retry = self._confirm = self._event = None
        self.running = True
        return found

    def due(self, now: float) -> float:
        """When the next round begins if nothing is heard before; infinite for never."""
        times = [time for time in (self._interval, self._retry, self._confirm) if time is not None]
        if any(one.reason is not Reason.EVENT for one in self.waiting):
            times.append(now)
        elif self._event is not None:
            times.append(self._event if self._answered is None else max(self._event, self._answered + self._spacing()))
        return min(times, default=float("inf"))

    def ended(self, round_: RoundEnded, now: float) -> float | None:
        """In how many seconds it is tried again by itself; None for not."""
        self.running = False
        self._interval = now + self.every if self.every is not None else None
        self._confirm = None
        if round_.ending is Ending.APPLIED:
            if all(one.reason in UNASKED for one in round_.triggers):
                self._repairs = 1 if now - self._repaired > CALM else self._repairs + 1
                self._repaired = now
            self._confirm = now + max(CONFIRM, self._spacing())
        if round_.ending not in AGAIN:
            self._tries = 0
            return None
        self._tries += 1
        wait = backoff(self._tries, self.chance(), min(MOST, self.every or MOST))
        self._retry = now + wait
        return wait

    def _spacing(self) -> float:
        """Seconds between two answers to what nobody asked."""
        return min(MOST, 2.0 ** max(0, min(self._repairs, 30) - 1))
