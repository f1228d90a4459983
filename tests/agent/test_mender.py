"""When a host is looked over: at the kernel's word, once it is silent again, and when it has been silent for long."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

import pytest

from cloudsync.agent.mender import Mender
from tests.effort import PATIENCE
from tests.lab.namespace import Namespace


@contextmanager
def mending(queue: "Queue[bool]", period: float) -> Iterator[Mender]:
    made = Mender(queue.put, period)
    try:
        yield made
    finally:
        made.close()


def test_it_looks_now_and_then() -> None:
    looks: Queue[bool] = Queue()
    with mending(looks, 0.01):
        assert looks.get(timeout=PATIENCE)
        assert looks.get(timeout=PATIENCE)


@pytest.mark.real
@pytest.mark.parametrize("change", ["nft add table inet somebody", "ip route add unreachable 192.0.2.0/24"])
def test_it_looks_when_the_kernel_says_that_something_changed(change: str) -> None:
    looks: Queue[bool] = Queue()
    host = Namespace.new("mender")
    try:
        made = host.enter(lambda: Mender(looks.put, 3600))
        host.run(*change.split())
        assert looks.get(timeout=PATIENCE) is False
        made.close()
    finally:
        host.remove()


def test_it_ends_at_once() -> None:
    with mending(Queue(), 3600):
        pass
