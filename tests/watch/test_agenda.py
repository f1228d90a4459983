"""When a round begins: one at a time, at once for a save, later and later where it does not help."""

from cloudsync.watch.agenda import CONFIRM, Agenda
from cloudsync.watch.backoff import MOST, backoff
from cloudsync.watch.happening import Ending, RoundEnded
from cloudsync.watch.relapse import CALM
from cloudsync.watch.trigger import Reason, Trigger

WEB, DB = "instance.web", "instance.db"
SAVE, EVENT = Trigger(Reason.SAVE, "cloud.yaml"), Trigger(Reason.EVENT, "web crashed", WEB)


def agenda(every: float | None = None) -> Agenda:
    return Agenda(every, lambda: 1.0)


def ended(ending: Ending, *triggers: Trigger, mended: tuple[str, ...] = ()) -> RoundEnded:
    return RoundEnded(number=1, triggers=triggers, ending=ending, seconds=0.1, mended=mended)


def test_a_save_begins_a_round_at_once() -> None:
    it = agenda()
    assert it.due(5.0) == float("inf")
    it.heard(SAVE)
    assert it.next(5.0) == (SAVE,)


def test_a_save_in_the_middle_of_a_round_begins_the_next() -> None:
    it = agenda()
    it.heard(SAVE)
    it.next(0.0)
    it.heard(SAVE)
    it.heard(SAVE)
    assert it.next(0.3) == ()
    it.ended(ended(Ending.APPLIED, SAVE), 1.0)
    assert it.next(1.0) == (SAVE,)


def test_an_interval_counts_from_the_end_of_the_last_round() -> None:
    it = agenda(every=60.0)
    it.heard(SAVE)
    it.next(0.0)
    assert it.ended(ended(Ending.QUIET, SAVE), 5.0) is None
    assert it.due(5.0) == 65.0
    assert it.next(64.9) == ()
    assert [one.reason for one in it.next(65.0)] == [Reason.INTERVAL]


def test_what_fails_is_tried_again_later_and_later_and_never_given_up() -> None:
    it, now, waits = agenda(), 0.0, []
    it.heard(SAVE)
    for _ in range(20):
        assert it.next(now)
        wait = it.ended(ended(Ending.FAILED), now)
        assert wait is not None
        waits.append(wait)
        now += wait
    assert waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert waits[-1] == MOST


def test_with_an_interval_the_lock_is_asked_for_at_least_as_often() -> None:
    it, now = agenda(every=10.0), 0.0
    it.heard(SAVE)
    for _ in range(10):
        assert it.next(now)
        wait = it.ended(ended(Ending.LOCKED), now)
        assert wait is not None and wait <= 10.0
        now = it.due(now)
        assert now < float("inf")


def test_a_success_forgets_the_failures() -> None:
    it = agenda()
    for ending in (Ending.FAILED, Ending.FAILED, Ending.APPLIED):
        it.heard(SAVE)
        it.next(0.0)
        it.ended(ended(ending), 0.0)
    it.heard(SAVE)
    it.next(0.0)
    assert it.ended(ended(Ending.FAILED), 0.0) == 1.0


def test_a_broken_or_refused_spec_waits_for_a_save() -> None:
    for ending in (Ending.BROKEN, Ending.REFUSED):
        it = agenda()
        it.heard(SAVE)
        it.next(0.0)
        assert it.ended(ended(ending), 0.0) is None
        assert it.due(0.0) == float("inf")


def test_a_save_does_not_wait_for_the_next_try() -> None:
    it = agenda()
    it.heard(SAVE)
    it.next(0.0)
    it.ended(ended(Ending.FAILED), 0.0)
    it.heard(SAVE)
    assert it.next(0.1) == (SAVE,)


def test_an_event_is_answered_at_once() -> None:
    it = agenda()
    it.heard(EVENT)
    assert it.next(3.0) == (EVENT,)


def test_a_guest_that_crashes_on_and_on_is_not_started_on_and_on() -> None:
    it, now, starts = agenda(), 1000.0, 0
    while now < 2000.0:
        it.heard(EVENT)
        now = max(now, it.due(now))
        triggers = it.next(now)
        if WEB not in it.resting(now):
            starts += 1
            now += 0.1
            it.ended(ended(Ending.APPLIED, *triggers, mended=(WEB,)), now)
        else:
            it.ended(ended(Ending.QUIET, *triggers), now)
    assert 16 < starts < 30
    now += CALM + 1.0
    assert it.next(now)
    it.ended(ended(Ending.QUIET, Trigger(Reason.CONFIRM)), now)
    it.heard(EVENT)
    assert it.due(now + MOST) == now + MOST


def test_what_is_repaired_on_and_on_delays_nothing_else() -> None:
    it, now = agenda(), 1000.0
    for _ in range(9):
        it.heard(EVENT)
        now = it.due(now)
        triggers = it.next(now)
        it.ended(ended(Ending.APPLIED, *triggers, mended=(WEB,)), now)
    other = Trigger(Reason.EVENT, "db crashed", DB)
    it.heard(EVENT)
    it.heard(other)
    now += 5.0
    assert it.due(now) == now
    assert it.next(now) == (other,)
    assert set(it.resting(now)) == {WEB}


def test_what_is_repaired_again_and_again_is_looked_at_later_and_later() -> None:
    it, now = agenda(), 1000.0
    it.heard(SAVE)
    triggers, gaps = it.next(now), []
    for _ in range(12):
        it.ended(ended(Ending.APPLIED, *triggers, mended=("host.here",)), now)
        gaps.append(it.due(now) - now)
        now = it.due(now)
        triggers = it.next(now)
        assert [one.reason for one in triggers] == [Reason.CONFIRM]
    assert gaps[:5] == [2.0, 2.0, 4.0, 8.0, 16.0]
    assert gaps[-1] == MOST


def test_after_an_apply_it_is_looked_at_once_what_became_of_it() -> None:
    it = agenda()
    it.heard(SAVE)
    it.next(0.0)
    it.ended(ended(Ending.APPLIED, SAVE), 0.0)
    assert it.due(0.0) == CONFIRM
    it.heard(SAVE)
    it.next(0.5)
    it.ended(ended(Ending.APPLIED, SAVE), 0.6)
    assert it.due(0.6) == 0.6 + CONFIRM
    look = it.next(0.6 + CONFIRM)
    it.ended(ended(Ending.QUIET, *look), 3.0)
    assert it.due(3.0) == float("inf")


def test_events_that_mean_nothing_are_looked_at_once_a_second() -> None:
    it, now, looks = agenda(), 0.0, 0
    while now < 100.0:
        it.heard(EVENT)
        now = max(now, it.due(now))
        assert it.next(now)
        looks += 1
        now += 0.05
        it.ended(ended(Ending.QUIET, EVENT), now)
    assert 80 <= looks <= 101


def test_many_reasons_make_one_round() -> None:
    it = agenda()
    for trigger in (SAVE, SAVE, EVENT):
        it.heard(trigger)
    assert it.next(0.0) == (SAVE, EVENT)


def test_a_back_off_is_bounded_and_spread() -> None:
    assert [backoff(tries, 1.0) for tries in (1, 2, 3, 1000)] == [1.0, 2.0, 4.0, MOST]
    assert {backoff(7, chance / 10) for chance in range(11)} <= {MOST * (0.5 + chance / 20) for chance in range(11)}
    assert backoff(50, 1.0, most=10.0) == 10.0
