"""What is remembered of denied packets cannot grow, and whoever follows hears of each."""

import asyncio
from collections.abc import Iterator
from itertools import count

import pytest

from cloudsync.agent.denials import record
from cloudsync.agent.denials.record import PER_PORT, Record
from cloudsync.agent.firewall.denied import Port
from cloudsync.model.denial import Denial
from cloudsync.model.resources import Direction

TAP, OTHER = "cs-0123456789ab", "cs-ba9876543210"
IN, OUT = Port(TAP, Direction.INGRESS), Port(TAP, Direction.EGRESS)


def packet(target_port: int = 80, source_port: int = 40000, side: Direction = Direction.INGRESS) -> Denial:
    return Denial(
        side=side,
        protocol="tcp",
        source="192.0.2.1",
        target="10.20.0.13",
        source_port=source_port,
        target_port=target_port,
    )


@pytest.fixture
def kept() -> Record:
    moments: Iterator[int] = count(1)
    return Record(lambda: f"2026-01-01T00:00:{next(moments):06}Z")


def test_like_packets_are_counted_together(kept: Record) -> None:
    for source in (40000, 40001, 40002):
        kept.add(IN, packet(source_port=source))
    kept.add(IN, packet(443))
    many, one = kept.of([TAP])
    assert (many.count, many.source_port, many.first < many.last) == (3, 40002, True)
    assert (one.count, one.target_port, one.first == one.last) == (1, 443, True)


def test_a_scan_pushes_out_the_oldest_of_its_side_only(kept: Record) -> None:
    kept.add(OUT, packet(22, side=Direction.EGRESS))
    for port in range(1, PER_PORT + 10):
        kept.add(IN, packet(port))
        kept.add(IN, packet(1))
    found = kept.of([TAP])
    assert [one.target_port for one in found if one.side is Direction.EGRESS] == [22]
    entered = [one.target_port for one in found if one.side is Direction.INGRESS]
    assert len(entered) == PER_PORT
    assert entered[-1] == 1
    assert 2 not in entered


def test_taps_are_bounded_too(kept: Record) -> None:
    for number in range(record.PORTS + 1):
        kept.add(Port(f"cs-{number:012x}", Direction.INGRESS), packet())
    assert kept.of(["cs-000000000000"]) == ()
    assert len(kept.of([f"cs-{number:012x}" for number in range(record.PORTS + 1)])) == record.PORTS


def test_ports_that_are_gone_are_forgotten(kept: Record) -> None:
    for tap in (TAP, OTHER):
        kept.add(Port(tap, Direction.INGRESS), packet())
    kept.keep([OTHER])
    assert (len(kept.of([TAP])), len(kept.of([OTHER]))) == (0, 1)


def test_whoever_follows_hears_of_these_taps_from_then_on(kept: Record) -> None:
    async def heard() -> list[int | None]:
        kept.add(IN, packet(1))
        following = kept.follow([TAP])
        first = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0)
        await asyncio.to_thread(kept.add, Port(OTHER, Direction.INGRESS), packet(2))
        await asyncio.to_thread(kept.add, IN, packet(3))
        await asyncio.to_thread(kept.add, OUT, packet(4))
        ports = [(await first).target_port, (await anext(following)).target_port]
        await following.aclose()  # type: ignore[attr-defined]
        kept.add(IN, packet(5))
        return ports

    assert asyncio.run(heard()) == [3, 4]


def test_one_who_does_not_listen_costs_a_bounded_queue(kept: Record) -> None:
    async def waiting() -> int:
        following = kept.follow([TAP])
        first = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0)
        for port in range(2000):
            kept.add(IN, packet(port))
        await first
        heard = 1
        while True:
            try:
                await asyncio.wait_for(anext(following), 0.1)
            except TimeoutError:
                return heard
            heard += 1

    assert 1 < asyncio.run(waiting()) < 300
