"""One hostile guest against the real process: the other is answered all the while."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from cloudsync.agent.metadata.limits import Limits
from tests.effort import PATIENCE
from tests.metadata import world
from tests.metadata.running import Running

pytestmark = pytest.mark.slow

HOSTNAME = "/latest/meta-data/hostname"


def answered(running: Running) -> bool:
    return running.ask(world.ADDRESS_B, HOSTNAME).body == b"db.demo.internal"


def test_many_connections_of_one_guest(tmp_path: Path) -> None:
    limits = Limits(request_seconds=PATIENCE)
    with Running(tmp_path, limits) as running, ExitStack() as open_:
        running.part.apply(world.two())
        first, *_ = [open_.enter_context(running.guest(world.ADDRESS_A)) for _ in range(limits.connections)]
        assert all(turned_away(running) for _ in range(20))
        assert answered(running)
        assert first.ask(HOSTNAME).status == 200


def turned_away(running: Running) -> bool:
    """The kernel may tell of it as early as in the answer to `connect`."""
    try:
        with running.guest(world.ADDRESS_A) as guest:
            return guest.hung_up()
    except ConnectionError:
        return True


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_slow_requests_of_one_guest_end(tmp_path: Path) -> None:
    """Both have said what they say before the process looks at either: no pause of theirs is held against them."""
    with Running(tmp_path, Limits(request_seconds=1.0)) as running:
        running.part.apply(world.two())
        with stopped(running.pid):
            slow, other = running.guest(world.ADDRESS_A), running.guest(world.ADDRESS_B)
            slow.send(b"GET /latest/meta-data/hostname HTTP/1.1\r\nX-Never-Ends: ")
            other.send(b"GET /latest/meta-data/hostname HTTP/1.1\r\n\r\n")
        with slow, other:
            assert other.answer().body == b"db.demo.internal"
            assert slow.answer().status == 408
            assert slow.hung_up()


def test_a_guest_that_reads_nothing(service: Running) -> None:
    """Its answers pile up to a bound, then it is cut off."""
    with service.guest(world.ADDRESS_A) as greedy:
        greedy.socket.settimeout(None)
        request = b"GET /latest/meta-data/ HTTP/1.1\r\n\r\n"
        try:
            for _ in range(200):
                greedy.send(request * 4)
                assert answered(service)
        except ConnectionError:
            pass
    assert answered(service)


def test_a_guest_that_asks_without_end(tmp_path: Path) -> None:
    """It may be cut off before it has asked all."""
    with Running(tmp_path, Limits(rate=1, burst=10)) as running:
        running.part.apply(world.two())
        with running.guest(world.ADDRESS_A) as greedy:
            with suppress(ConnectionError):
                for _ in range(20):
                    greedy.send(b"GET /latest/meta-data/hostname HTTP/1.1\r\n\r\n" * 2)
            assert answered(running)


def test_rubbish_from_one_guest(service: Running) -> None:
    for rubbish in (b"\x00" * 50_000, b"\r\n" * 20_000, b"GET " + b"/" * 60_000, b"\xff\xfe" * 1000):
        with service.guest(world.ADDRESS_A) as guest, suppress(ConnectionError):
            guest.send(rubbish)
        assert answered(service)
