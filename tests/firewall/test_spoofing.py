"""Guests that lie: nothing of it arrives, and our tables count it. On a bare host most of it does arrive."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

import pytest

from tests.firewall.documents import NETWORK
from tests.firewall.scene import GATEWAY, METADATA, Scene, Spoof, staged
from tests.firewall.spoofs import CASES
from tests.firewall.spoofs.honest import HONEST
from tests.firewall.spoofs.make import Make
from tests.lab.frames import parse4
from tests.lab.standins import HOST

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def protected() -> Iterator[Scene]:
    with staged(True) as found:
        found.moved()
        yield found


@pytest.fixture(scope="module")
def bare() -> Iterator[Scene]:
    with staged(False) as found:
        yield found


def named(cases: list[Spoof]) -> list[object]:
    return [pytest.param(one, id=one.name) for one in cases]


@pytest.mark.parametrize("spoof", named(CASES))
def test_it_is_dropped_and_counted(protected: Scene, spoof: Spoof) -> None:
    protected.renew()
    protected.send(spoof.sent(protected))
    arrived, moved = protected.arrivals(), protected.moved()
    assert arrived == {}
    assert moved == ({spoof.counter: spoof.times} if spoof.counter else {})


@pytest.mark.parametrize("spoof", named(CASES))
def test_what_a_host_without_our_tables_lets_through(bare: Scene, spoof: Spoof) -> None:
    """If none of it arrived anywhere, that none arrives would say nothing about our tables."""
    bare.renew()
    bare.send(spoof.sent(bare))
    assert bool(bare.arrivals()) is spoof.bare


@pytest.mark.parametrize(("sent", "where"), [pytest.param(*rest, id=name) for name, *rest in HONEST])
def test_what_is_true_arrives(protected: Scene, sent: Make, where: str) -> None:
    protected.renew()
    protected.send(sent(protected))
    arrived, moved = protected.arrivals(), protected.moved()
    assert arrived == {where: 1}
    assert moved == {}


def test_after_a_flush_of_all_rules_nothing_from_or_to_a_pool_is_passed_on() -> None:
    """The guards of routing do it; that they say so to the sender, by an ICMP of the host's own, is no passing on."""
    pool, hosts = IPv4Network(NETWORK.subnet), {GATEWAY, HOST, "127.0.0.1", "127.8.8.8"}
    with staged(True) as on:
        on.lab.nft("flush ruleset")
        for sent in [*(one.sent for one in CASES), *(sent for _, sent, _ in HONEST)]:
            on.renew()
            on.send(sent(on))
        frames = [parse4(frame) for place, frame in on.wire.settle() if place != "host"]
    passed = [one for one in frames if one and one.source not in hosts and one.target not in hosts]
    assert [one for one in passed if any(IPv4Address(end) in pool for end in (one.source, one.target))] == []
    assert any(one.source == METADATA for one in passed), (
        "a sender and a target outside the pools: no guard is about those"
    )
