"""One hostile guest against the real process: the other is answered all the while."""

from contextlib import suppress
from pathlib import Path

import pytest

from cloudsync.agent.metadata.limits import Limits
from tests.metadata import world
from tests.metadata.guest import Guest
from tests.metadata.running import Running

pytestmark = pytest.mark.slow

HOSTNAME = "/latest/meta-data/hostname"


def answered(running: Running) -> bool:
    return running.ask(world.ADDRESS_B, HOSTNAME).body == b"db.demo.internal"


def test_many_connections_of_one_guest(service: Running) -> None:
    most = Limits().connections
    open_: list[Guest] = []
    try:
        for _ in range(most + 20):
            open_.append(service.guest(world.ADDRESS_A))
        assert all(guest.hung_up() for guest in open_[most:])
        assert answered(service)
        assert open_[0].ask(HOSTNAME).status == 200
    finally:
        for guest in open_:
            guest.socket.close()


def test_slow_requests_of_one_guest_end(tmp_path: Path) -> None:
    with Running(tmp_path, Limits(request_seconds=1.0)) as running:
        running.part.apply(world.two())
        with running.guest(world.ADDRESS_A) as slow:
            slow.send(b"GET /latest/meta-data/hostname HTTP/1.1\r\nX-Never-Ends: ")
            assert answered(running)
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
        with service.guest(world.ADDRESS_A) as guest:
            try:
                guest.send(rubbish)
            except ConnectionError:
                continue
        assert answered(service)
