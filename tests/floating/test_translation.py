"""What a floating address does to packets: real ones, between namespaces, with the sources that each end sees."""

import socket
from collections.abc import Iterator

import pytest

from tests.effort import PATIENCE
from tests.firewall.documents import NETWORK
from tests.floating.world import BARE, FIRST, OTHER_OUTSIDE, SECOND, THIRD, denied, seen, world
from tests.lab.standins import HOST, OUTSIDE, Lab, Peer, standins

pytestmark = pytest.mark.real

DOCUMENT = world()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with standins(DOCUMENT) as made:
        made.outside.namespace.ip("addr", "add", f"{OTHER_OUTSIDE}/24", "dev", "eth0")
        made.apply(DOCUMENT)
        yield made


def test_nothing_drifts_once_applied(lab: Lab) -> None:
    assert lab.drift(DOCUMENT) == []


@pytest.mark.parametrize("source", [OUTSIDE, OTHER_OUTSIDE])
def test_outside_reaches_the_guest_which_sees_who_asks(lab: Lab, source: str) -> None:
    assert seen(lab.outside, lab.guests["b"], SECOND, 80, own=source) == source


def test_groups_hold_for_the_real_source(lab: Lab) -> None:
    """Port 81 is for one address outside, 80 for all, 443 for nobody."""
    assert seen(lab.outside, lab.guests["a"], FIRST, 81, own=OUTSIDE) == OUTSIDE
    assert denied(lab, OTHER_OUTSIDE, FIRST, 81)
    assert denied(lab, OUTSIDE, FIRST, 443)


@pytest.mark.parametrize(
    ("guest", "appears_as"),
    [("a", FIRST), ("b", SECOND), ("shut", THIRD), ("plain", HOST), ("free", "10.30.0.11")],
)
def test_a_guest_leaves_by_its_floating_address_else_by_the_hosts_else_as_it_is(
    lab: Lab, guest: str, appears_as: str
) -> None:
    assert seen(lab.guests[guest], lab.outside, OUTSIDE, 7000) == appears_as


def test_a_floating_address_is_translated_also_where_the_network_has_no_nat() -> None:
    document = world(free="198.51.100.60")
    with standins(document) as lab:
        lab.apply(document)
        assert seen(lab.outside, lab.guests["free"], "198.51.100.60", 80) == OUTSIDE
        assert seen(lab.guests["free"], lab.outside, OUTSIDE, 7000) == "198.51.100.60"
        assert seen(lab.guests["free"], lab.guests["a"], FIRST, 80) == "10.30.0.11"


def test_a_guest_reaches_itself_by_its_floating_address(lab: Lab) -> None:
    assert seen(lab.guests["a"], lab.guests["a"], FIRST, 80) == NETWORK.gateway


def test_only_where_its_groups_let_it(lab: Lab) -> None:
    assert not lab.reaches(lab.guests["shut"], THIRD, 80)


@pytest.mark.parametrize("port", [80, 82])
def test_guests_reach_each_other_by_floating_addresses_and_are_seen_as_who_they_are(lab: Lab, port: int) -> None:
    """Port 82 is for members of a group, which are known by their own addresses."""
    assert seen(lab.guests["a"], lab.guests["b"], SECOND, port) == "10.20.0.11"
    assert seen(lab.guests["free"], lab.guests["b"], SECOND, port) == "10.30.0.11"
    assert not lab.reaches(lab.guests["shut"], SECOND, 82)


@pytest.mark.parametrize(("source", "target"), [("plain", "free"), ("free", "plain"), ("a", "free"), ("free", "a")])
def test_nothing_is_translated_between_our_networks(lab: Lab, source: str, target: str) -> None:
    server = lab.guests[target]
    assert seen(lab.guests[source], server, server.address, 80) == lab.guests[source].address


def test_the_host_reaches_guests_by_floating_addresses(lab: Lab) -> None:
    assert seen(Peer(lab.host, HOST), lab.guests["b"], SECOND, 80) == HOST
    assert seen(Peer(lab.host, HOST), lab.guests["shut"], THIRD, 22) == HOST


def test_a_datagram_and_its_answer_are_translated(lab: Lab) -> None:
    kind = socket.SOCK_DGRAM
    with lab.guests["a"].listen(80, kind) as server, lab.outside.namespace.socket(kind) as client:
        for end in (server, client):
            end.settimeout(PATIENCE)
        client.connect((FIRST, 80))
        client.send(b"ping")
        data, peer = server.recvfrom(4)
        assert (data, peer[0]) == (b"ping", OUTSIDE)
        server.sendto(b"pong", peer)
        assert client.recv(4) == b"pong"


def test_the_host_itself_has_no_floating_address(lab: Lab) -> None:
    """What is bound to all of its addresses is not there under a floating one."""
    addresses = lab.host.ip("-4", "addr")
    assert FIRST not in addresses
    with Peer(lab.host, "").listen(443):
        assert not lab.reaches(lab.outside, FIRST, 443)


def test_a_guest_that_is_off_is_unreachable_and_its_packets_do_not_leave_by_the_uplink() -> None:
    document = world()
    with standins(document) as lab:
        lab.apply(document)
        lab.host.ip("link", "del", document.instances["a"].nics[0].tap)
        for source, address in (
            (lab.outside, FIRST),
            (lab.outside, "10.20.0.11"),
            (lab.guests["plain"], "10.20.0.11"),
            (lab.guests["free"], FIRST),
            (Peer(lab.host, HOST), "10.20.0.11"),
        ):
            with pytest.raises(OSError, match="No route to host"):
                source.connect(address, 80)
        assert BARE.subnet in lab.host.ip("route")
