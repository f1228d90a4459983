"""For what happens in another process, of which no event tells: asked again and again until it is so."""

import time
from collections.abc import Callable

from tests.lab.standins import PATIENCE

_PAUSE = 0.05
"""Seconds: asking starts a process, mostly, which takes from the one that is waited for."""


def eventually(act: Callable[[], object], wanted: object) -> None:
    """AssertionError with the last answer after PATIENCE seconds."""
    deadline = time.monotonic() + PATIENCE
    while (found := act()) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(_PAUSE)
