"""Guests that lie: nothing of it arrives, and our tables count it. On a bare host most of it does arrive."""

from collections.abc import Iterator

import pytest

from tests.firewall.scene import Scene, Spoof, staged
from tests.firewall.spoofs import CASES
from tests.firewall.spoofs.honest import HONEST
from tests.firewall.spoofs.make import Make

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
