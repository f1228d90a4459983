"""A disk travels no faster than the spec says, also after a pause."""

import time
from threading import Event

import pytest

from cloudsync.hosts.libvirt.volume import Paced
from cloudsync.model.problem import HostError

CHUNK, BANDWIDTH = 1000, 1000
"""Bytes, and bytes a second."""
PAUSE = 1.2
"""Seconds: longer than a chunk may take."""


class Waits(Event):
    """Remembers how long it was waited for, and is set at once when nobody is to wait any more."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return self.is_set()


class Slow:
    """libvirt's stream, whose first chunk comes late."""

    def __init__(self) -> None:
        self.late = PAUSE

    def recv(self, size: int) -> bytes:
        time.sleep(self.late)
        self.late = 0.0
        return bytes(size)


@pytest.mark.slow
def test_what_a_pause_kept_back_is_not_made_up_for() -> None:
    waits = Waits()
    paced = Paced(Slow(), BANDWIDTH, waits)
    for _ in range(2):
        assert paced.read(CHUNK) == bytes(CHUNK)
    first, second = waits.seconds
    assert first == 0
    assert 0 < second <= CHUNK / BANDWIDTH


@pytest.mark.slow
def test_without_a_limit_nobody_waits() -> None:
    waits = Waits()
    paced = Paced(Slow(), 0, waits)
    for _ in range(3):
        paced.read(CHUNK)
    assert waits.seconds == [0.0, 0.0, 0.0]


def test_it_ends_where_it_is_interrupted() -> None:
    stop = Waits()
    stop.set()
    with pytest.raises(HostError, match="interrupted"):
        Paced(Slow(), BANDWIDTH, stop).read(CHUNK)
