"""Random specs on real packets, held against the pure model: never a difference."""

from collections.abc import Iterator

import pytest

from cloudsync.model.document import HostDocument
from tests.firewall.arena import Arena, Difference, built
from tests.firewall.probes import Probe
from tests.firewall.search import search
from tests.firewall.worlds import EMPTY, World, Written
from tests.lab.frames import SCTP, TCP, UDP

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    with built(EMPTY) as found:
        yield found


def test_packets_do_what_the_model_says(arena: Arena) -> None:
    search(arena, trials=8, probes=40)
    assert arena.probes >= 500


def ruled(*ingress: Written) -> World:
    """All guests take in what is said, and everybody may send anything."""
    return World({**EMPTY.groups, "web": {"ingress": list(ingress)}}, {name: ["web"] for name in EMPTY.members}, None)


@pytest.mark.parametrize("protocol", [TCP, UDP, SCTP])
@pytest.mark.parametrize(("source", "target"), [("a", "c"), ("192.0.2.7", "c"), ("far-2", "d"), ("d", "a")])
def test_what_is_withdrawn_is_cut_and_what_is_beside_it_is_not(
    arena: Arena, protocol: int, source: str, target: str
) -> None:
    both, one = ({"protocol": protocol, "ports": ports, "from": "any"} for ports in ("80-81", "81"))
    arena.start()
    arena.enact(ruled(both), lambda _: [Probe(source, target, protocol, port) for port in (80, 80, 81, 81)])
    arena.enact(ruled(one), lambda _: [Probe(source, target, protocol, port) for port in (80, 81)])
    arena.enact(ruled(both), lambda _: [])


def test_a_difference_is_told_with_the_packet_and_the_spec(arena: Arena) -> None:
    """Somebody opens a port behind the model's back."""
    world = ruled({"protocol": "tcp", "ports": 80, "from": "any"})
    probe = Probe("192.0.2.7", "c", TCP, 22)
    arena.start()
    arena.enact(world, lambda _: [probe])

    def tampered(_: HostDocument) -> list[Probe]:
        arena.lab.nft("insert rule inet cloudsync forward_to tcp dport 22 accept")
        return [probe]

    with pytest.raises(Difference) as caught:
        arena.enact(world, tampered)
    assert str(caught.value).startswith("tcp/22 from 192.0.2.7 to c: it arrives\nunder\nsecurity_groups:\n  web: {")


def test_what_vanishes_uncounted_is_a_difference(arena: Arena) -> None:
    def tampered(_: HostDocument) -> list[Probe]:
        arena.lab.nft("insert rule inet cloudsync forward_to tcp dport 22 drop")
        return [Probe("192.0.2.7", "c", TCP, 22)]

    arena.start()
    with pytest.raises(Difference, match="2 packets did not arrive, and 1 were counted"):
        arena.enact(ruled(), tampered)
