"""A pure function that is asked the same thing several times in one plan, of values that take long to go through.

Called by standing.py and homes.py: the scheduler and the planner begin with both; and by the planner's act.py.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")


def latest(function: Callable[[A, B], T]) -> Callable[[A, B], T]:
    """The same, remembering its last answer for these very objects: they are held on to, so that their identity stays
    their own. Nobody changes them, or the answer."""
    known: list[tuple[A, B, T]] = []

    @wraps(function)
    def remembered(first: A, second: B) -> T:
        for before, too, answer in known[:1]:
            if before is first and too is second:
                return answer
        answer = function(first, second)
        known[:] = [(first, second, answer)]
        return answer

    return remembered


def of_each(function: Callable[[A, B], T]) -> Callable[[A, B], T]:
    """The same, remembering what it said of every `first` beside the latest `second`, in the same way."""
    known: dict[int, tuple[A, T]] = {}
    beside: list[B] = []

    @wraps(function)
    def remembered(first: A, second: B) -> T:
        if not (beside and beside[0] is second):
            known.clear()
            beside[:] = [second]
        if id(first) not in known:
            known[id(first)] = (first, function(first, second))
        return known[id(first)][1]

    return remembered
