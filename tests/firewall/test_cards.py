"""Guests with several NICs, configured by nothing but what DHCP tells them: what they reach, and who reaches them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.firewall.documents import DEFAULT, NETWORK, document, egress, group, ingress, instance
from tests.firewall.model import Model
from tests.lab import dhcp
from tests.lab.metadata import ask
from tests.lab.standins import HOST, PATIENCE, Guest, Lab, Peer, standins

pytestmark = pytest.mark.real

BACK = replace(NETWORK, name="back", subnet="10.30.0.0/24", gateway="10.30.0.1", domain="back.internal", nat=False)
GROUPS = [
    DEFAULT,
    group("web", ingress("any", "tcp", (80, 80)), egress()),
    group("db", ingress("group.web", "tcp", (5432, 5432)), ingress("network.back", "tcp", (22, 22)), egress()),
    group("cache", ingress("instance.two", "tcp", (6379, 6379)), egress()),
]
MORE = [("back", "10.30.0.5", True)]
TWIN = [("default", "10.20.0.32", True)]
DOCUMENT = document(
    [
        instance("two", "10.20.0.5", ("web",), more=MORE),
        instance("twin", "10.20.0.31", ("web",), more=TWIN),
        instance("db", "10.30.0.9", ("db",), network="back"),
        instance("cache", "10.20.0.9", ("cache",)),
        instance("peer", "10.20.0.8"),
    ],
    GROUPS,
    [NETWORK, BACK],
)
FIRST, SECOND = "10.20.0.5", "10.30.0.5"


def configure(guest: Guest, at: int) -> dhcp.Answer:
    """As NetworkManager and systemd-networkd do: routes of a NIC have a metric of its own."""
    nic, device = guest.instance.nics[at], f"eth{at}"
    found = dhcp.lease(guest.namespace, nic.mac, device=device)
    guest.namespace.ip("addr", "add", f"{found.address}/32", "dev", device)
    for target, gateway in found.routes():
        via = () if gateway == "0.0.0.0" else ("via", gateway)  # noqa: S104 (on-link, in option 121)
        guest.namespace.ip("route", "add", target, *via, "dev", device, "metric", str(100 + at))
    return found


@pytest.fixture(scope="module")
def leases() -> dict[tuple[str, int], dhcp.Answer]:
    """By guest and NIC; `lab` fills it."""
    return {}


@pytest.fixture(scope="module")
def lab(leases: dict[tuple[str, int], dhcp.Answer]) -> Iterator[Lab]:
    with standins(DOCUMENT, addressed=False, more=("tests.lab.metadata:part",)) as made:
        made.apply(DOCUMENT)
        for name, guest in made.guests.items():
            leases.update({(name, at): configure(guest, at) for at in range(len(guest.instance.nics))})
        yield made


def at(lab: Lab, name: str, index: int = 1) -> Peer:
    """A guest by another of its addresses."""
    guest = lab.guests[name]
    return Peer(guest.namespace, guest.instance.nics[index].address)


def test_nothing_drifts_once_applied(lab: Lab) -> None:
    assert lab.drift(DOCUMENT) == []


def test_each_nic_has_its_lease_and_only_the_first_a_default_route(
    lab: Lab, leases: dict[tuple[str, int], dhcp.Answer]
) -> None:
    on_link, metadata = "0.0.0.0", "169.254.169.254/32"  # noqa: S104
    first, second, twin = leases["two", 0], leases["two", 1], leases["twin", 1]
    assert [one.address for one in (first, second, twin)] == [FIRST, SECOND, "10.20.0.32"]
    assert first.addresses(3) == ["10.20.0.1"]
    assert first.routes()[-1] == ("0.0.0.0/0", "10.20.0.1")
    assert second.addresses(3) == twin.addresses(3) == []
    assert 3 not in second.options
    assert second.routes() == [("10.30.0.1/32", on_link), (metadata, "10.30.0.1"), ("10.30.0.0/24", "10.30.0.1")]
    assert twin.routes() == [("10.20.0.1/32", on_link), (metadata, "10.20.0.1")]
    assert second.addresses(1) == twin.addresses(1) == ["255.255.255.255"]
    assert second.addresses(6) == second.addresses(54) == ["10.30.0.1"]


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("name", ["two", "twin"])
@pytest.mark.parametrize("source", ["outside", "peer", "db", "cache"])
def test_each_address_answers_with_the_groups_of_the_instance(lab: Lab, source: str, name: str, index: int) -> None:
    """The answer leaves by whatever NIC the guest's routes say: its default route is on the first one."""
    origin = lab.outside if source == "outside" else lab.guests[source]
    target = at(lab, name, index)
    with target.listen(80, address=target.address) as server, origin.connect(target.address, 80) as client:
        accepted, peer = server.accept()
        with accepted:
            accepted.settimeout(PATIENCE)
            assert peer[0] == origin.address
            client.sendall(b"there")
            assert accepted.recv(5) == b"there"
            accepted.sendall(b"back")
            assert client.recv(4) == b"back"
    assert not lab.reaches(origin, target, 81)


def test_loose_reverse_path_filtering_changes_nothing(lab: Lab) -> None:
    devices = ["all", "up0", *(nic.tap for nic in DOCUMENT.instances["two"].nics)]
    for device in devices:
        lab.host.sysctl(f"net/ipv4/conf/{device}/rp_filter", 2)
    try:
        for index in (0, 1):
            target = at(lab, "two", index)
            with target.listen(80, address=target.address) as server, lab.outside.connect(target.address, 80):
                server.accept()[0].close()
    finally:
        for device in devices:
            lab.host.sysctl(f"net/ipv4/conf/{device}/rp_filter", 0)


@pytest.mark.parametrize("index", [0, 1])
def test_a_member_is_one_by_every_address(lab: Lab, index: int) -> None:
    """group.web and instance.two: from either address, whichever NIC the packet takes."""
    source = at(lab, "two", index)
    for target, port in (("db", 5432), ("cache", 6379)):
        with bound(source) as client:
            assert reached(lab, client, lab.guests[target], port)
        assert Model(DOCUMENT)(source.address, lab.guests[target].address, 6, port)
    with bound(source) as client:
        assert not reached(lab, client, lab.guests["db"], 5433)


def bound(source: Peer) -> socket.socket:
    client = source.namespace.socket()
    client.bind((source.address, 0))
    return client


def reached(lab: Lab, client: socket.socket, target: Peer, port: int) -> bool:
    before = lab.dropped()
    with target.listen(port) as server:
        client.setblocking(False)
        client.connect_ex((target.address, port))
        return lab.arrived(server, before)


def test_traffic_to_a_network_takes_the_nic_that_is_in_it(lab: Lab) -> None:
    """So that `from: network.back` means what a reader takes it for."""
    with lab.guests["db"].listen(22) as server, lab.guests["two"].connect("10.30.0.9", 22):
        accepted, peer = server.accept()
        accepted.close()
        assert peer[0] == SECOND
    with lab.outside.listen(443) as server, lab.guests["two"].connect(lab.outside.address, 443):
        accepted, peer = server.accept()
        accepted.close()
        assert peer[0] == HOST


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("name", ["two", "twin"])
def test_metadata_is_the_instances_own_by_every_nic(lab: Lab, name: str, index: int) -> None:
    source = at(lab, name, index)
    assert ask(source, "/latest/meta-data/hostname") == f"{name}.demo.internal"
    assert ask(source, "/latest/meta-data/local-ipv4") == lab.guests[name].address
    with down(source, f"eth{1 - index}"):
        assert ask(source, "/latest/meta-data/hostname") == f"{name}.demo.internal"


@contextmanager
def down(source: Peer, device: str) -> Iterator[None]:
    """Without one NIC, as before the guest has set it up; a device that comes back has lost its routes."""
    routes = [line.split() for line in source.namespace.ip("route", "show", "dev", device).splitlines()]
    source.namespace.ip("link", "set", device, "down")
    try:
        yield
    finally:
        source.namespace.ip("link", "set", device, "up")
        for route in sorted(routes, key=lambda route: "via" in route):
            source.namespace.ip("route", "add", *route, "dev", device)


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("two", {FIRST}),
        ("two.demo.internal", {FIRST}),
        ("two.back.internal", {SECOND}),
        ("two.default.demo.internal", {FIRST}),
        ("two.back.back.internal", {SECOND}),
        ("twin", {"10.20.0.31"}),
        ("twin.demo.internal", {"10.20.0.31"}),
        ("twin.default.demo.internal", {"10.20.0.31", "10.20.0.32"}),
    ],
)
@pytest.mark.parametrize("gateway", ["10.20.0.1", "10.30.0.1"])
def test_names(lab: Lab, gateway: str, name: str, addresses: set[str]) -> None:
    assert dhcp.resolve(lab.guests["two"].namespace, gateway, name) == (0, addresses)


@pytest.mark.parametrize(
    ("address", "name"),
    [(FIRST, "two.demo.internal"), (SECOND, "two.back.internal"), ("10.20.0.32", "twin.default.demo.internal")],
)
def test_every_address_has_a_name(lab: Lab, address: str, name: str) -> None:
    found = dhcp.resolve(lab.guests["two"].namespace, "10.20.0.1", dhcp.reverse(address), dhcp.PTR)
    assert found == (0, {name})


def test_no_nic_may_use_what_is_another_instances(lab: Lab) -> None:
    guest = lab.guests["two"]
    for device in ("eth0", "eth1"):
        guest.namespace.ip("addr", "add", "10.20.0.8/32", "dev", device)
        guest.namespace.ip("route", "add", "10.20.0.9/32", "via", gateway(device), "dev", device)
        try:
            with bound(Peer(guest.namespace, "10.20.0.8")) as client:
                assert not reached(lab, client, lab.guests["cache"], 6379)
        finally:
            guest.namespace.ip("addr", "del", "10.20.0.8/32", "dev", device)
            guest.namespace.ip("route", "del", "10.20.0.9/32", "dev", device)


def gateway(device: str) -> str:
    return {"eth0": "10.20.0.1", "eth1": "10.30.0.1"}[device]


def test_a_nic_that_goes_takes_its_address_its_membership_and_its_flows(lab: Lab) -> None:
    one = DOCUMENT.instances["two"]
    less = {**DOCUMENT.instances, "two": replace(one, nics=one.nics[:1])}
    members = {remote: tuple(a for a in found if a != SECOND) for remote, found in DOCUMENT.members.items()}
    with bound(at(lab, "two")) as client, lab.guests["db"].listen(5432) as server:
        client.settimeout(PATIENCE)
        client.connect(("10.30.0.9", 5432))
        server.accept()[0].close()
        lab.apply(replace(DOCUMENT, instances=less, members=members))
        assert SECOND not in lab.host.run("conntrack", "-L").stdout
    with bound(at(lab, "two")) as client:
        assert not reached(lab, client, lab.guests["db"], 5432)
    lab.apply(DOCUMENT)
    with bound(at(lab, "two")) as client:
        assert reached(lab, client, lab.guests["db"], 5432)
