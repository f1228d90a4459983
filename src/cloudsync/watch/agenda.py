"""What the watch does next: triggers and the ends of rounds in, the next round out. Pure; loop.py gives it the time.

One round at a time; what is heard meanwhile is for the next one, and many reasons make one round.
"""

from collections.abc import Callable, Mapping
from dataclasses import field

from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Action
from cloudsync.watch.backoff import MOST, backoff
from cloudsync.watch.happening import Ending, RoundEnded
from cloudsync.watch.relapse import Relapse, Relapses
from cloudsync.watch.trigger import Reason, Trigger

AGAIN = frozenset({Ending.FAILED, Ending.LOCKED, Ending.INTERRUPTED})
"""What may be over by itself. A broken spec waits for a save."""

CONFIRM = 2.0
"""Seconds after an apply that nothing followed: then it is looked at what has become of it."""

LULL = 1.0
"""Seconds between two rounds for what is heard of the same instance or host."""


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
    _relapse: tuple[float, str] | None = None
    _tries: int = 0
    _answered: dict[str, float] = field(default_factory=dict)
    _relapses: Relapses = field(default_factory=Relapses)

    def heard(self, trigger: Trigger) -> None:
        """An event waits its turn where the answer to the last ones of the same did not help: a guest that crashes on
        and on is not started a hundred times a minute."""
        if trigger not in self.waiting:
            self.waiting.append(trigger)

    def next(self, now: float) -> tuple[Trigger, ...]:
        """Why a round is to begin now; empty for not yet. It counts as begun."""
        if self.running or self.due(now) > now:
            return ()
        found = [one for one in self.waiting if self._ripe(one) <= now]
        self.waiting = [one for one in self.waiting if self._ripe(one) > now]
        abouts = {one.about for one in found}
        if self._interval is not None and self._interval <= now:
            found.append(Trigger(Reason.INTERVAL))
        if self._retry is not None and self._retry <= now:
            found.append(Trigger(Reason.RETRY))
        if self._confirm is not None and self._confirm <= now:
            found.append(Trigger(Reason.CONFIRM))
        if self._relapse is not None and self._relapse[0] <= now and self._relapse[1] not in abouts:
            found.append(Trigger(Reason.RETRY, self._relapse[1], self._relapse[1]))
        self._answered = {about: at for about, at in self._answered.items() if now < at + LULL}
        self._answered |= {one.about: now for one in found if one.reason is Reason.EVENT}
        self._interval = self._retry = self._confirm = self._relapse = None
        self.running = True
        return tuple(dict.fromkeys(found))

    def due(self, now: float) -> float:
        """When the next round begins if nothing is heard before; infinite for never."""
        times = [time for time in (self._interval, self._retry, self._confirm) if time is not None]
        times += [self._relapse[0]] if self._relapse else []
        times += [max(now, self._ripe(one)) for one in self.waiting]
        return min(times, default=float("inf"))

    def resting(self, now: float) -> Mapping[str, Relapse]:
        """What a round that begins now is not to put right, whatever it begins for."""
        return self._relapses.early(now)

    def ended(self, round_: RoundEnded, now: float) -> float | None:
        """In how many seconds it is tried again by itself; None for not."""
        self.running = False
        self._interval = now + self.every if self.every is not None else None
        self._relapses.mended(round_.mended, now)
        late = [(self._relapses.due(one.address), one.address) for one in round_.resting]
        self._relapse = min((one for one in late if one[0] > now), default=None)
        self._confirm = now + max(CONFIRM, self._patience(round_, now)) if round_.ending is Ending.APPLIED else None
        if round_.ending not in AGAIN:
            self._tries = 0
            return None
        self._tries += 1
        wait = backoff(self._tries, self.chance(), min(MOST, self.every or MOST))
        self._retry = now + wait
        return wait

    def _ripe(self, one: Trigger) -> float:
        """When a round may begin for it."""
        if one.reason is not Reason.EVENT:
            return float("-inf")
        return max(self._answered.get(one.about, float("-inf")) + LULL, self._relapses.due(one.about))

    def _patience(self, round_: RoundEnded, now: float) -> float:
        """Seconds to the first of what was put right and may have to be again, where nothing else was done."""
        if any(change.action is not Action.REPAIR for change in round_.made):
            return 0.0
        return min((self._relapses.due(one) - now for one in round_.mended), default=0.0)
