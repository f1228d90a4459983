"""What counts as being written: until it is closed or replaced, and not for ever where nobody tells of that."""

from cloudsync.watch.writing import MOST, STILL, Writing

SPEC, LOG = "/etc/cloud/cloud.yaml", "/etc/cloud/log"


def test_one_that_is_changed_is_being_written_until_it_is_closed() -> None:
    it = Writing()
    assert (it.any([SPEC]), it.due()) == (False, None)
    it.changed(SPEC, 5.0)
    it.changed(SPEC, 5.3)
    assert (it.any(["/mnt/cloud.yaml", SPEC]), it.any([LOG])) == (True, False)
    it.closed(SPEC)
    assert (it.any([SPEC]), it.due()) == (False, None)
    it.closed(SPEC)


def test_one_that_is_never_closed_is_waited_for_until_it_has_been_still_for_long() -> None:
    it = Writing()
    it.changed(SPEC, 5.0)
    it.changed(SPEC, 5.9)
    assert it.due() == 5.9 + STILL
    assert not it.rest(5.8 + STILL)
    assert it.any([SPEC])
    assert it.rest(5.9 + STILL)
    assert (it.any([SPEC]), it.due()) == (False, None)


def test_one_that_never_rests_is_not_waited_for_for_ever() -> None:
    it, now = Writing(), 0.0
    it.changed(SPEC, now)
    while not it.rest(now):
        now += STILL / 2
        it.changed(SPEC, now)
    assert now == MOST


def test_each_file_counts_for_itself() -> None:
    it = Writing()
    it.changed(LOG, 5.0)
    it.changed(SPEC, 5.5)
    assert it.due() == 5.0 + STILL
    assert it.rest(5.2 + STILL)
    assert (it.any([LOG]), it.any([SPEC]), it.due()) == (False, True, 5.5 + STILL)
