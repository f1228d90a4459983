"""When a host is looked over: at the kernel's word, once it is silent again, and when it has been silent for long."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from queue import Queue
from select import select

import pytest

from cloudsync.agent.firewall import Firewall
from cloudsync.agent.mender import Mender
from cloudsync.agent.news import News, unheard
from tests.effort import PATIENCE
from tests.firewall.documents import document, instance
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
@pytest.mark.parametrize(
    "change", ["nft add table inet somebody", "ip route add unreachable 192.0.2.0/24", "ip link set lo down"]
)
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


@pytest.mark.real
def test_it_looks_after_a_change_during_which_nobody_listened() -> None:
    looks: Queue[bool] = Queue()
    host = Namespace.new("mender")
    try:
        made = host.enter(lambda: Mender(looks.put, 3600))
        with unheard():
            host.run("nft", "add", "table", "inet", "somebody")
        assert looks.get(timeout=PATIENCE) is False
        made.close()
    finally:
        host.remove()


@pytest.mark.real
def test_the_kernel_says_nothing_while_nobody_listens() -> None:
    host = Namespace.new("news")
    try:
        news = host.enter(News)
        with unheard():
            host.run("nft", "add", "table", "inet", "somebody")
            assert _told(news) == [False, False]
        assert _told(news) == [False, True]
        host.run("nft", "delete", "table", "inet", "somebody")
        assert _told(news) == [True, True]
        news.close()
        with unheard():
            pass
    finally:
        host.remove()


@pytest.mark.real
def test_nobody_listens_while_a_long_script_of_ours_is_loaded() -> None:
    plain, many = document([instance("a", "10.20.0.2")]), [f"10.20.{at >> 8}.{at & 255}" for at in range(6000)]
    host = Namespace.new("news")
    try:
        news, walls = host.enter(News), Firewall()
        for count, told in ((5999, [False, True]), (6000, [True, True])):
            wanted = replace(plain, members={"group.default": tuple(many[:count])})
            host.enter(partial(walls.apply, wanted))
            assert _told(news) == told
        news.close()
    finally:
        host.remove()


def _told(news: News) -> list[bool]:
    """Which sockets have something to say by now."""
    told, _, _ = select(news.sockets, [], [], 0)
    return [one in told for one in news.sockets]


def test_it_ends_at_once() -> None:
    with mending(Queue(), 3600):
        pass
