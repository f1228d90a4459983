"""A real dnsmasq, asked by guests that are namespaces: two of them with the same gateway address on their taps."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.firewall.documents import NETWORK, document, instance
from tests.lab import dhcp
from tests.lab.dhcp import NXDOMAIN, PTR, REFUSED, lease, resolve, reverse, served
from tests.lab.eventually import eventually
from tests.lab.standins import HOST, OUTSIDE, PATIENCE, Lab, standins

pytestmark = pytest.mark.real

BACK = replace(NETWORK, name="back", subnet="10.30.4.0/22", gateway="10.30.4.1", domain="back.internal")
DOCUMENT = document(
    [
        instance("a", "10.20.0.11"),
        instance("b", "10.20.0.12"),
        instance("c", "10.30.5.9", network="back"),
    ],
    networks=[NETWORK, BACK],
    elsewhere=[instance("far", "10.20.9.9")],
)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Guests have their addresses, as after DHCP."""
    with standins(DOCUMENT) as made:
        made.apply(DOCUMENT)
        yield made


def test_a_lease_says_what_fits_into_one_packet_where_a_tunnel_takes_some_of_it() -> None:
    one = instance("a", "10.20.0.11", more=[("default", "10.20.0.12", True)])
    narrow = document([replace(one, nics=tuple(replace(nic, mtu=1450) for nic in one.nics))])
    with standins(narrow, addressed=False) as bare:
        bare.apply(narrow, only="dnsmasq")
        guest = bare.guests["a"]
        for nic, device in zip(guest.instance.nics, ("eth0", "eth1"), strict=True):
            found = lease(guest.namespace, nic.mac, device=device)
            assert int.from_bytes(found.options[26], "big") == 1450


@pytest.mark.parametrize(("name", "gateway"), [("a", "10.20.0.1"), ("b", "10.20.0.1"), ("c", "10.30.4.1")])
def test_a_lease_has_all_that_a_routed_guest_needs(name: str, gateway: str) -> None:
    with standins(DOCUMENT, addressed=False) as bare:
        bare.apply(DOCUMENT)
        guest = bare.guests[name]
        found = lease(guest.namespace, guest.nic.mac)
    assert found.kind == dhcp.ACK
    assert found.address == guest.address
    assert found.addresses(1) == ["255.255.255.255"]
    assert found.addresses(3) == found.addresses(6) == found.addresses(54) == [gateway]
    assert found.options[12].decode() == name
    assert found.options[15].decode() == DOCUMENT.networks[guest.nic.network].domain
    on_link = "0.0.0.0"  # noqa: S104
    assert found.routes() == [(f"{gateway}/32", on_link), ("169.254.169.254/32", gateway), ("0.0.0.0/0", gateway)]


def test_another_guest_with_the_same_mac_gets_nothing(lab: Lab) -> None:
    """Its request comes after, and the answer to the rightful one's shows that it was read."""
    thief, owner = lab.guests["a"], lab.guests["b"]
    with dhcp.opened(thief.namespace) as stolen:
        stolen.sendto(dhcp.message(dhcp.DISCOVER, owner.nic.mac, b"evil"), ("255.255.255.255", 67))
        assert lease(thief.namespace, thief.nic.mac).address == thief.address
        assert lease(owner.namespace, owner.nic.mac).address == owner.address
        stolen.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                assert dhcp.parse(stolen.recv(2048)).address != owner.address


@pytest.mark.parametrize("guest", ["a", "c"])
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("a", (0, {"10.20.0.11"})),
        ("b.demo.internal", (0, {"10.20.0.12"})),
        ("far.demo.internal", (0, {"10.20.9.9"})),
        ("c.back.internal", (0, {"10.30.5.9"})),
        ("c.demo.internal", (NXDOMAIN, set())),
        ("nobody", (NXDOMAIN, set())),
        ("nobody.demo.internal", (NXDOMAIN, set())),
        ("example.org", (REFUSED, set())),
    ],
)
def test_names(lab: Lab, guest: str, name: str, answer: tuple[int, set[str]]) -> None:
    found = lab.guests[guest]
    gateway = DOCUMENT.networks[found.nic.network].gateway
    assert resolve(found.namespace, gateway, name) == answer
    assert resolve(found.namespace, gateway, name, tcp=True) == answer


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("10.20.9.9", (0, {"far.demo.internal"})),
        ("10.30.5.9", (0, {"c.back.internal"})),
        ("10.20.7.7", (NXDOMAIN, set())),
        ("10.30.7.7", (NXDOMAIN, set())),
        ("9.9.9.9", (REFUSED, set())),
    ],
)
def test_addresses(lab: Lab, address: str, answer: tuple[int, set[str]]) -> None:
    assert resolve(lab.guests["a"].namespace, NETWORK.gateway, reverse(address), PTR) == answer


def test_a_guest_cannot_name_itself(lab: Lab) -> None:
    guest = lab.guests["a"]
    found = lease(guest.namespace, guest.nic.mac, o12=b"www")
    assert found.options[12] == b"a"
    assert resolve(guest.namespace, NETWORK.gateway, "www")[0] == NXDOMAIN
    assert resolve(guest.namespace, NETWORK.gateway, "www.demo.internal")[0] == NXDOMAIN


def test_the_rest_goes_to_the_networks_forwarders(lab: Lab) -> None:
    """`outside` is the forwarder: the question arrives there from the host."""
    with lab.outside.listen(53, socket.SOCK_DGRAM) as forwarder:
        forwarder.settimeout(PATIENCE)
        lab.apply(replace(DOCUMENT, networks={"default": replace(NETWORK, dns=(OUTSIDE,)), "back": BACK}))
        with lab.guests["a"].namespace.socket(socket.SOCK_DGRAM) as client:
            client.sendto(b"\1\2\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1", (NETWORK.gateway, 53))
            question, peer = forwarder.recvfrom(512)
        assert b"\7example\3org" in question
        assert peer[0] == HOST
        assert resolve(lab.guests["a"].namespace, NETWORK.gateway, "nobody.demo.internal")[0] == NXDOMAIN
    lab.apply(DOCUMENT)


def test_nobody_else_is_answered(lab: Lab) -> None:
    """It has no socket on any other address; DHCP's is one for all, and answers on taps only."""
    with pytest.raises(ConnectionRefusedError):
        resolve(lab.outside.namespace, HOST, "a")
    with pytest.raises(ConnectionRefusedError):
        resolve(lab.host, "127.0.0.1", "a")
    guest = lab.guests["a"]
    with dhcp.opened(lab.outside.namespace) as client:
        client.sendto(dhcp.message(dhcp.DISCOVER, guest.nic.mac, b"away"), ("255.255.255.255", 67))
        assert lease(guest.namespace, guest.nic.mac).address == guest.address
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(2048)


def test_reading_again_keeps_it_alive_and_current(lab: Lab) -> None:
    """Leases were served before each SIGHUP: with `set:` in the file this is where 2.90 dies."""
    guest = lab.guests["a"]
    more = replace(DOCUMENT, directory={**DOCUMENT.directory, "new": replace(DOCUMENT.directory["far"])})
    for _ in range(3):
        assert lease(guest.namespace, guest.nic.mac).address == guest.address
        lab.apply(more)
        eventually(lambda: resolve(guest.namespace, NETWORK.gateway, "new"), (0, {"10.20.9.9"}))
        lab.apply(DOCUMENT)
        eventually(lambda: resolve(guest.namespace, NETWORK.gateway, "new"), (NXDOMAIN, set()))
    assert lab.drift(DOCUMENT) == []


def test_a_guest_that_comes_later_is_served_by_the_same_process(lab: Lab) -> None:
    late = instance("late", "10.20.0.33")
    both = replace(
        DOCUMENT,
        instances={**DOCUMENT.instances, "late": late},
        directory={**DOCUMENT.directory, "late": replace(DOCUMENT.directory["far"], addresses=("10.20.0.33",))},
    )
    before = lab.host.run("pgrep", "-f", str(lab.run / "dnsmasq")).stdout
    lab.apply(both)
    guest = lab.add_guest(late, DOCUMENT.networks, addressed=False)
    eventually(lambda: served(guest.namespace, guest.nic.mac), "10.20.0.33")
    assert lab.host.run("pgrep", "-f", str(lab.run / "dnsmasq")).stdout == before
    lab.apply(DOCUMENT)
