"""Questions asked at once: in order, and no more of them under way than may be."""

from collections.abc import Callable
from functools import partial
from threading import Barrier, Lock

import pytest

from cloudsync.hosts.ask import at_once
from cloudsync.model.problem import HostError
from tests.effort import PATIENCE


class Counter:
    """How many are inside `pair`, which waits for a second, and how many were at most."""

    def __init__(self) -> None:
        self._barrier, self._lock = Barrier(2), Lock()
        self._inside = self.most = 0

    def pair(self, number: int) -> int:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self._barrier.wait(PATIENCE)
        with self._lock:
            self._inside -= 1
        return number


def test_two_at_a_time_and_no_more() -> None:
    counter = Counter()
    assert at_once([partial(counter.pair, number) for number in range(20)], most=2) == list(range(20))
    assert counter.most == 2


def test_what_one_raises_is_raised() -> None:
    def unknown() -> int:
        raise HostError("host h2 is off")

    questions: list[Callable[[], int]] = [lambda: 1, unknown, lambda: 3]
    with pytest.raises(HostError, match="h2 is off"):
        at_once(questions)
