"""What crashes on and on, in every order: nothing is started more often than its own turn comes, and nothing waits for
the turn of another."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

import hypothesis.strategies as st
from hypothesis import event, given

from cloudsync.model.plan import Action, Change
from cloudsync.watch.agenda import Agenda
from cloudsync.watch.happening import Ending, RoundEnded
from cloudsync.watch.relapse import CALM, Resting
from cloudsync.watch.trigger import Reason, Trigger
from tests.laws.many import law

NAMES = ("instance.a", "instance.b", "instance.c")
ROUND = 0.25
"""Seconds that a round takes."""

Stir = tuple[float, str]
"""So many seconds later: one of NAMES crashes, or somebody saves."""


@dataclass
class World:
    """Guests that crash, a watch with ears that starts them, and what is known of all that."""

    agenda: Agenda
    now: float = 5000.0
    down: dict[str, bool] = field(default_factory=dict)
    starts: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in NAMES})

    def turn(self, name: str) -> float:
        """When it may be started again, counted from its starts alone."""
        times, last = 0, float("-inf")
        for at in self.starts[name]:
            times = times + 1 if at - last <= CALM else 1
            last = at
        return last + min(60.0, 2.0 ** (times - 1)) if times else float("-inf")

    def until(self, end: float) -> None:
        """Rounds begin when the agenda says so."""
        while (due := self.agenda.due(self.now)) <= end:
            self._nobody_waits(due)
            self.now = max(self.now, due)
            triggers = self.agenda.next(self.now)
            assert triggers
            self._round(triggers)
        self._nobody_waits(due)
        self.now = max(self.now, end)

    def _nobody_waits(self, due: float) -> None:
        for name, down in self.down.items():
            assert not down or due <= max(self.now, self.turn(name)), name

    def _round(self, triggers: tuple[Trigger, ...]) -> None:
        resting = self.agenda.resting(self.now)
        started = tuple(name for name, down in self.down.items() if down and name not in resting)
        for name in started:
            assert self.now >= self.turn(name)
            self.down[name] = False
        self.now += ROUND
        for name in started:
            self.starts[name].append(self.now)
        late = tuple(Resting(name, 1, datetime.now(UTC)) for name, down in self.down.items() if down)
        made = tuple(Change(address=name, action=Action.REPAIR) for name in started)
        ending = Ending.APPLIED if started else Ending.QUIET
        ended = RoundEnded(
            number=1, triggers=triggers, ending=ending, seconds=ROUND, made=made, mended=started, resting=late
        )
        self.agenda.ended(ended, self.now)


stirs = st.tuples(st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0, 20.0, 70.0, 700.0]), st.sampled_from([*NAMES, "save"]))


@law
@given(st.lists(stirs, min_size=1, max_size=60), st.sampled_from([None, 1.0, 30.0]))
def test_each_has_its_own_turn(happens: list[Stir], every: float | None) -> None:
    it = World(Agenda(every, lambda: 1.0))
    for pause, what in happens:
        it.until(it.now + pause)
        if what == "save":
            it.agenda.heard(Trigger(Reason.SAVE, "cloud.yaml"))
        elif not it.down.get(what):
            it.down[what] = True
            it.agenda.heard(Trigger(Reason.EVENT, f"{what} crashed", what))
    it.until(it.now + 61.0)
    assert not any(it.down.values())
    event(f"most starts {max(len(one) for one in it.starts.values()) // 5 * 5}")


def test_one_that_never_stays_up_is_started_at_1_2_4_up_to_60_seconds() -> None:
    it = World(Agenda(None, lambda: 1.0))
    while len(it.starts["instance.a"]) < 10:
        it.down["instance.a"] = True
        it.agenda.heard(Trigger(Reason.EVENT, "a crashed", "instance.a"))
        it.until(max(it.now, it.turn("instance.a")))
    starts = it.starts["instance.a"]
    gaps = [round(after - before - ROUND, 6) for before, after in pairwise(starts)]
    assert gaps == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
