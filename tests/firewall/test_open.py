"""Ports without port security: what they may, and what they may not because it would be somebody else's."""

import socket
import struct
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cloudsync.model.resources import Instance
from tests.firewall.documents import DEFAULT, NETWORK, document, egress, group, ingress, instance
from tests.firewall.model import Model
from tests.lab import dhcp, packets
from tests.lab.metadata import ask
from tests.lab.standins import HOST, METADATA_PORT, OUTSIDE, Guest, Lab, Peer, standins

pytestmark = pytest.mark.real

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
FAR = "192.0.2.77"
"""Behind the open guest, in no network of the cloud."""
UNDERLAY = "203.0.113.11"
FLOATING = ("203.0.113.40", "203.0.113.41")
"""An instance's of this host, and one's of another."""
GROUPS = [
    DEFAULT,
    group("shut"),
    group("all", ingress(), egress()),
    group("friends", ingress("group.shut", "udp", (7000, 7000))),
]


def floating(one: Instance, address: str) -> Instance:
    return replace(one, nics=(replace(one.nics[0], floating=address),))


DOCUMENT = document(
    [
        instance("router", "10.20.0.5", ("shut",), port_security=False, more=[("default", "10.20.0.6", True)]),
        instance("victim", "10.20.0.8"),
        instance("all", "10.20.0.9", ("all",)),
        floating(instance("friend", "10.20.0.10", ("friends",)), FLOATING[0]),
        instance("shut", "10.20.0.11", ("shut",)),
        instance("off", "10.20.0.12", ("shut",)),
    ],
    GROUPS,
    elsewhere=[floating(instance("far", "10.20.0.13"), FLOATING[1])],
    infra=[UNDERLAY],
)
OPEN = "inet open_source"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with standins(DOCUMENT, more=("tests.lab.metadata:part",)) as made:
        made.apply(DOCUMENT)
        router = made.guests["router"].namespace
        router.ip("addr", "add", f"{FAR}/32", "dev", "lo")
        router.ip("route", "add", "default", "via", NETWORK.gateway, "dev", "eth1", "metric", "300")
        yield made


def counts(lab: Lab, chain: str) -> list[int]:
    return [int(one["packets"]) for one in lab.counters() if one["chain"] == chain]


def spoof(guest: Guest, source: str, target: str, protocol: int, payload: bytes, device: str = "eth0") -> None:
    """A packet from an address of one's choice, by a NIC of one's choice."""
    with guest.namespace.socket(socket.SOCK_RAW, protocol=socket.IPPROTO_RAW) as sender:
        sender.setsockopt(socket.SOL_SOCKET, 25, device.encode() + b"\0")
        sender.sendto(packets.ipv4(source, target, protocol, payload), (target, 0))


def test_groups_do_not_filter_it_either_way(lab: Lab) -> None:
    router = lab.guests["router"]
    for kind in (TCP, UDP):
        assert lab.reaches(router, lab.guests["all"], 99, kind)
        assert lab.reaches(lab.guests["all"], router, 99, kind)
        assert lab.reaches(lab.outside, router, 99, kind)
        assert lab.reaches(router, lab.outside, 99, kind)


def test_the_other_end_still_decides(lab: Lab) -> None:
    router = lab.guests["router"]
    assert not lab.reaches(router, lab.guests["victim"], 22)
    assert not lab.reaches(lab.guests["shut"], router, 22)


def test_its_other_nic_is_filtered_as_ever(lab: Lab) -> None:
    second = Peer(lab.guests["router"].namespace, "10.20.0.6")
    assert not lab.reaches(lab.guests["all"], second, 99)
    before = counts(lab, "inet pe_" + lab.guests["router"].instance.nics[1].tap)
    spoof(lab.guests["router"], "10.20.0.6", OUTSIDE, 17, packets.udp(1, 99), "eth1")
    assert counts(lab, "inet pe_" + lab.guests["router"].instance.nics[1].tap) == [before[0] + 1]


def test_the_filtered_address_does_not_pass_by_the_open_nic(lab: Lab) -> None:
    before = counts(lab, OPEN)
    spoof(lab.guests["router"], "10.20.0.6", "10.20.0.9", 17, packets.udp(1, 99))
    assert sum(counts(lab, OPEN)) == sum(before) + 1


def test_the_open_address_does_not_pass_by_the_filtered_nic(lab: Lab) -> None:
    before = counts(lab, "inet antispoof")[-1]
    spoof(lab.guests["router"], "10.20.0.5", "10.20.0.9", 17, packets.udp(1, 99), "eth1")
    assert counts(lab, "inet antispoof")[-1] == before + 1


def heard(lab: Lab, source: str, target: str, port: int) -> bool:
    """Whether what the router sends in another's name arrives."""
    before = lab.dropped()
    with lab.guests[target].listen(port, UDP) as server:
        spoof(lab.guests["router"], source, lab.guests[target].address, 17, packets.udp(1, port))
        return lab.arrived(server, before)


def test_it_speaks_for_what_is_behind_it(lab: Lab) -> None:
    assert heard(lab, FAR, "all", 7001)
    assert not heard(lab, FAR, "victim", 7001)


@pytest.mark.parametrize(
    "source",
    ["10.20.0.8", "10.20.0.1", "10.20.99.99", UNDERLAY, "169.254.169.254", "169.254.1.1", *FLOATING],
    ids=["a guest", "the gateway", "nobody yet", "a host", "metadata", "link-local", "floating", "floating elsewhere"],
)
def test_it_speaks_for_nobody_here(lab: Lab, source: str) -> None:
    before = sum(counts(lab, OPEN))
    assert not heard(lab, source, "all", 7002)
    assert sum(counts(lab, OPEN)) == before + 1


def test_the_hosts_own_address_is_refused_by_the_kernel_itself(lab: Lab) -> None:
    """A martian: no rule of ours sees it."""
    spoof(lab.guests["router"], HOST, "10.20.0.9", 17, packets.udp(1, 7003))
    with lab.guests["all"].listen(7003, UDP) as server:
        assert heard(lab, FAR, "all", 7004)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.recv(10)


def test_it_is_no_member_by_pretence_and_one_by_its_own_address(lab: Lab) -> None:
    """friend lets members of shut in; router is one, and shut itself cannot send."""
    assert not heard(lab, "10.20.0.11", "friend", 7000)
    assert heard(lab, "10.20.0.5", "friend", 7000)


def test_the_model_says_the_same() -> None:
    model = Model(DOCUMENT)
    assert model("10.20.0.5", "10.20.0.9", 6, 99)
    assert model(FAR, "10.20.0.9", 17, 7001)
    assert model("10.20.0.9", "10.20.0.5", 6, 99)
    assert not model(FAR, "10.20.0.8", 17, 7001)
    assert not model("10.20.0.5", "10.20.0.8", 6, 22)
    assert not model("10.20.0.6", OUTSIDE, 17, 99)
    assert not model("10.20.0.5", UNDERLAY, 6, 22)
    assert not model("10.20.0.5", "169.254.1.1", 6, 22)


def test_its_record_is_its_own(lab: Lab) -> None:
    assert ask(lab.guests["router"], "/latest/meta-data/hostname") == "router.demo.internal"
    assert ask(lab.guests["victim"], "/latest/meta-data/hostname") == "victim.demo.internal"


@pytest.mark.parametrize("name", ["victim", "off"])
def test_nobody_elses_record_is_asked_for(lab: Lab, name: str) -> None:
    """By the address of one that runs, and of one whose tap is gone, so that it would not even say that it never asked.
    The kernel does not see the packet: an answer would go to that address anyway."""
    other = DOCUMENT.instances[name].nics[0]
    if name == "off":
        lab.host.ip("link", "set", other.tap, "down")
    before = sum(counts(lab, OPEN))
    syn = packets.tcp_syn(other.address, "169.254.169.254", 40000, 80)
    spoof(lab.guests["router"], other.address, "169.254.169.254", 6, syn)
    assert sum(counts(lab, OPEN)) == before + 1
    assert "sport=40000 " not in lab.host.run("conntrack", "-L").stdout


def test_an_address_behind_it_gets_nothing_from_the_host(lab: Lab) -> None:
    """Metadata would not know it; names, ping and everything else of the host are for guests alone."""
    router = lab.guests["router"]
    for protocol, target, payload in (
        (6, "169.254.169.254", packets.tcp_syn(FAR, "169.254.169.254", 40001, 80)),
        (17, NETWORK.gateway, packets.udp(40001, 53)),
        (1, NETWORK.gateway, struct.pack("!BBHHH", 8, 0, 0xF7FE, 1, 0)),
        (6, HOST, packets.tcp_syn(FAR, HOST, 40001, 22)),
    ):
        before = sum(counts(lab, "inet guest_to_host"))
        spoof(router, FAR, target, protocol, payload)
        assert sum(counts(lab, "inet guest_to_host")) == before + 1, (protocol, target)


@pytest.mark.parametrize("address", [HOST, NETWORK.gateway])
def test_the_host_is_as_closed_as_ever(lab: Lab, address: str) -> None:
    for port in (22, 16509):
        with Peer(lab.host, address).listen(port):
            assert not lab.reaches(lab.guests["router"], address, port)
    assert not lab.reaches(lab.guests["router"], address, METADATA_PORT)
    assert not lab.reaches(lab.guests["router"], Peer(lab.host, address), 500, UDP)
    assert not lab.reaches(lab.guests["router"], UNDERLAY, 22)


def test_it_is_served_what_every_guest_is(lab: Lab) -> None:
    router = lab.guests["router"]
    assert dhcp.resolve(router.namespace, NETWORK.gateway, "victim") == (0, {"10.20.0.8"})
    assert dhcp.lease(router.namespace, router.nic.mac).address == "10.20.0.5"


def test_it_gets_no_lease_of_anothers(lab: Lab) -> None:
    router, victim = lab.guests["router"], lab.guests["victim"]
    with dhcp.opened(router.namespace) as stolen:
        stolen.sendto(dhcp.message(dhcp.DISCOVER, victim.nic.mac, b"evil"), ("255.255.255.255", 67))
        assert dhcp.lease(router.namespace, router.nic.mac).address == "10.20.0.5"
        stolen.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                assert dhcp.parse(stolen.recv(2048)).address != victim.address


def test_it_serves_no_dhcp(lab: Lab) -> None:
    """To the guest that lets everything in, in the gateway's name, in its own, and as a broadcast."""
    router = lab.guests["router"]
    offer = packets.udp(67, 68, b"offer")
    for source, target in (("10.20.0.1", "10.20.0.9"), ("10.20.0.5", "10.20.0.9"), (FAR, "10.20.0.9")):
        before = lab.dropped()
        with lab.guests["all"].listen(68, UDP) as client:
            spoof(router, source, target, 17, offer)
            assert not lab.arrived(client, before)


def test_any_mac_will_do_for_its_own_address_only(lab: Lab) -> None:
    """As with a bridge or VRRP inside the guest."""
    router = lab.guests["router"]
    mac = lab.host.run("cat", f"/sys/class/net/{router.nic.tap}/address").stdout.strip()
    router.namespace.ip("link", "set", "eth0", "address", "00:00:5e:00:01:07")
    router.namespace.ip("neigh", "replace", NETWORK.gateway, "lladdr", mac, "dev", "eth0", "nud", "permanent")
    lab.host.ip("neigh", "flush", "dev", router.nic.tap)
    try:
        assert lab.reaches(router, lab.guests["all"], 99)
        assert not heard(lab, "10.20.0.8", "all", 7002)
        assert ask(router, "/latest/meta-data/hostname") == "router.demo.internal"
    finally:
        router.namespace.ip("link", "set", "eth0", "address", router.nic.mac)
        router.namespace.ip("neigh", "flush", "nud", "all", "dev", "eth0")
        lab.host.ip("neigh", "flush", "dev", router.nic.tap)


def test_it_fills_no_table_of_neighbours(lab: Lab) -> None:
    router = lab.guests["router"]
    before = counts(lab, "arp guest")[-1]
    for sender in ("10.20.0.8", NETWORK.gateway, *(f"10.20.3.{last}" for last in range(20))):
        arp(router, sender)
    assert counts(lab, "arp guest")[-1] == before + 22
    assert "10.20.3." not in lab.host.ip("neigh")
    arp(router, "10.20.0.5")
    assert counts(lab, "arp guest")[-1] == before + 22


def arp(guest: Guest, sender: str) -> None:
    """A request that announces `sender`."""
    mac = bytes.fromhex(guest.nic.mac.replace(":", ""))
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + socket.inet_aton(sender) + bytes(6)
    with guest.namespace.socket(socket.SOCK_RAW, socket.AF_PACKET) as out:
        out.bind(("eth0", 0))
        out.send(b"\xff" * 6 + mac + b"\x08\x06" + body + socket.inet_aton(sender))


def test_port_security_that_comes_back_cuts_what_it_forbids(lab: Lab) -> None:
    router = lab.guests["router"]
    one = DOCUMENT.instances["router"]
    secured = replace(one, nics=tuple(replace(nic, port_security=True) for nic in one.nics))
    with lab.guests["all"].listen(99) as server, router.connect("10.20.0.9", 99):
        server.accept()[0].close()
        lab.apply(replace(DOCUMENT, instances={**DOCUMENT.instances, "router": secured}))
        assert "dport=99" not in lab.host.run("conntrack", "-L").stdout
    assert not lab.reaches(router, lab.guests["all"], 99)
    assert not heard(lab, FAR, "all", 7001)
    lab.apply(DOCUMENT)
    assert lab.reaches(router, lab.guests["all"], 99)
    assert lab.drift(DOCUMENT) == []
