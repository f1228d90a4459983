"""Instances on hosts with a router between them, guests being namespaces: the tunnel, its size, and who is let in."""

import errno
import json
import socket
import struct
from collections.abc import Iterator

import pytest

from cloudsync.agent.links.remote import number
from cloudsync.model.problem import HostError
from tests.fabric.scene import GROUPS, THERE, A, B, C, carried, resolved, source_outside, source_seen
from tests.firewall.documents import instance
from tests.lab import frames
from tests.lab.eventually import eventually
from tests.lab.joined import Hosts, routes, underlay
from tests.lab.standins import PATIENCE

pytestmark = pytest.mark.real

DEVICE = "cloudsync-vxlan"
IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_MTU = 10, 2, 14
HEADERS = 28
"""IP's and UDP's."""
H1, H2, H3 = "198.51.100.11", "198.51.101.12", "198.51.102.13"


@pytest.fixture(scope="module")
def standing() -> Iterator[Hosts]:
    with underlay(THERE, GROUPS, fabric="vxlan", routed=True) as made:
        yield made


@pytest.fixture
def hosts(standing: Hosts) -> Hosts:
    """As the spec says, whatever the test before has done."""
    standing.instances = {name: list(there) for name, there in THERE.items()}
    standing.addresses.update({"h1": H1, "h2": H2, "h3": H3})
    standing.apply()
    return standing


def test_each_host_has_one_route_for_each_instance_elsewhere(hosts: Hosts) -> None:
    assert routes(hosts["h1"]) == {B: f"{H2} {DEVICE}", C: f"{H3} {DEVICE}"}
    assert [hosts.drift(name) for name in hosts.labs] == [[], [], []]


def test_a_packet_between_instances_keeps_its_source_and_one_to_outside_gets_the_hosts(hosts: Hosts) -> None:
    assert source_seen(hosts) == A
    assert source_outside(hosts) == H1


def test_a_group_as_source_means_its_members_on_every_host(hosts: Hosts) -> None:
    assert hosts.reaches(hosts.guest("a"), "b", 80)
    assert not hosts.reaches(hosts.guest("a"), "b", 81)
    assert not hosts.reaches(hosts.guest("c"), "b", 80)


def test_names_resolve(hosts: Hosts) -> None:
    assert [resolved(hosts, "a", f"{name}.demo.internal") for name in ("a", "b", "c")] == [{A}, {B}, {C}]


def test_packets_that_just_fit_pass_unbroken_and_bigger_ones_are_sent_back(hosts: Hosts) -> None:
    """Guests of standins have 1500; one that goes by its lease begins with less."""
    a, b = hosts.guest("a").namespace, hosts.guest("b")
    with b.listen(80, socket.SOCK_DGRAM) as server, a.socket(socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        client.settimeout(PATIENCE)
        server.settimeout(PATIENCE)
        client.connect((B, 80))
        client.send(bytes(1450 - HEADERS))
        assert len(server.recv(2000)) == 1450 - HEADERS
        client.send(bytes(1451 - HEADERS))
        with pytest.raises(OSError) as caught:
            client.recv(1)
        assert caught.value.errno == errno.EMSGSIZE
        assert client.getsockopt(socket.IPPROTO_IP, IP_MTU) == 1450


def test_a_connection_carries_more_than_fits_into_many_of_them(hosts: Hosts) -> None:
    assert carried(hosts, 3 << 20) == 3 << 20


def test_another_host_says_that_an_instance_is_not_there(hosts: Hosts) -> None:
    off = instance("off", "10.20.0.14", ("web",))
    hosts.instances["h2"] = [*hosts.instances["h2"], off]
    hosts.apply()
    with pytest.raises(OSError, match="No route to host"):
        hosts.guest("a").connect("10.20.0.14", 80)


def inner(hosts: Hosts, packet: bytes, source: str = H1) -> bytes:
    """In a tunnel's packet to h2."""
    mac = json.loads(hosts["h2"].host.ip("-j", "link", "show", DEVICE))[0]["address"]
    frame = frames.ethernet(mac, "02:00:00:00:00:02", frames.IP4, packet)
    header = struct.pack("!II", 0x08000000, number("demo") << 8)
    return frames.udp4(source, H2, (40000, 4789), header + frame)


def datagram(source: str, target: str = B) -> bytes:
    return frames.udp4(source, target, (4000, 80), b"?")


def test_only_other_hosts_can_put_something_into_the_tunnel(hosts: Hosts) -> None:
    """A machine on the underlay that can send from a host's address is that host."""
    assert hosts.forged("h2", inner(hosts, datagram(A)))
    assert not hosts.forged("h2", inner(hosts, datagram(A), source="198.51.101.77"))
    assert not hosts.forged("h2", inner(hosts, datagram(A), source="203.0.113.1"))


def test_nor_from_where_that_host_is_not(hosts: Hosts) -> None:
    hosts["h2"].host.ip("link", "add", "other0", "type", "veth", "peer", "name", "other", "netns", hosts.between.name)
    for namespace, device in ((hosts["h2"].host, "other0"), (hosts.between, "other")):
        namespace.ip("link", "set", device, "up")
    assert not hosts.forged("h2", inner(hosts, datagram(A)), "other0")
    hosts["h2"].host.ip("link", "del", "other0")


@pytest.mark.parametrize("source", ["10.20.0.77", "10.20.0.1", B, C, "192.0.2.7", H1, H2])
def test_out_of_the_tunnel_come_only_instances_of_other_hosts_that_may(hosts: Hosts, source: str) -> None:
    assert not hosts.forged("h2", inner(hosts, datagram(source)))


@pytest.mark.parametrize("target", [H2, "10.20.0.1", "127.0.0.1", "169.254.169.254", "192.0.2.7", H3])
def test_nothing_in_it_is_for_a_host_or_for_anybody_but_instances(hosts: Hosts, target: str) -> None:
    assert not hosts.forged("h2", inner(hosts, datagram(A, target)))


@pytest.mark.parametrize("source", [A, C, "10.20.0.77"])
def test_an_instance_outside_of_the_tunnel_is_none(hosts: Hosts, source: str) -> None:
    assert not hosts.forged("h2", datagram(source))


@pytest.mark.parametrize("target", [H1, H2, "10.20.0.1"])
def test_guests_reach_no_end_of_it(hosts: Hosts, target: str) -> None:
    before = hosts.dropped()
    with hosts.guest("a").namespace.socket(socket.SOCK_DGRAM) as client:
        client.sendto(struct.pack("!II", 0x08000000, number("demo") << 8) + bytes(60), (target, 4789))
        eventually(lambda: hosts.dropped() - before, 1)


def known(hosts: Hosts, name: str) -> set[str]:
    """To whose addresses a host's device sends."""
    lines = hosts[name].host.run("bridge", "fdb", "show", "dev", DEVICE).stdout.splitlines()
    return {line.split(" dst ")[1].split()[0] for line in lines if " dst " in line}


def test_a_host_that_left_is_forgotten(hosts: Hosts) -> None:
    assert known(hosts, "h1") == {H2, H3}
    hosts.addresses.pop("h3")
    hosts.apply("h1")
    assert known(hosts, "h1") == {H2}
    assert routes(hosts["h1"]) == {B: f"{H2} {DEVICE}"}


TAMPERINGS = [
    (("link", "del", DEVICE), f"the device {DEVICE} is missing: packets do not get to other hosts"),
    (("link", "set", DEVICE, "mtu", "1500"), f"the device {DEVICE} is not as it was made"),
    (("link", "set", DEVICE, "down"), f"the device {DEVICE} is not as it was made"),
    (("neigh", "del", H2, "dev", DEVICE), f"{DEVICE} does not know the way to host.h2 ({H2})"),
    (("neigh", "replace", H2, "lladdr", "02:00:00:00:00:09", "dev", DEVICE), f"{DEVICE} does not know the way to"),
    (("route", "del", B), f"the route `{B} via {H2} dev {DEVICE} onlink` is missing"),
]


@pytest.mark.parametrize(("command", "message"), TAMPERINGS, ids=lambda one: " ".join(one[:2]))
def test_drift_is_named_and_repaired(hosts: Hosts, command: tuple[str, ...], message: str) -> None:
    hosts["h1"].host.ip(*command)
    assert any(told.startswith(message) for _, told in hosts.drift("h1"))
    hosts.apply("h1")
    assert hosts.drift("h1") == []
    assert source_seen(hosts) == A


def test_a_host_that_does_not_have_its_address_says_so(hosts: Hosts) -> None:
    hosts.addresses["h1"] = "198.51.100.99"
    with pytest.raises(HostError, match=r"this host does not have the address 198\.51\.100\.99"):
        hosts.apply("h1")


def test_removal_takes_the_device_too(hosts: Hosts) -> None:
    hosts["h1"].remove()
    assert DEVICE not in hosts["h1"].host.ip("link")
    assert "proto 197" not in hosts["h1"].host.ip("route")


def test_a_connection_outlives_a_change_of_the_fabric() -> None:
    """There and back, host by host: what is lost meanwhile is sent again."""
    with underlay({"h1": THERE["h1"], "h2": THERE["h2"]}, GROUPS) as hosts:
        hosts.apply()
        with hosts.guest("b").listen(80) as server, hosts.guest("a").connect(B, 80) as client:
            taken, _ = server.accept()
            taken.settimeout(PATIENCE)
            for fabric in ("vxlan", "direct"):
                hosts.fabric = fabric
                hosts.apply("h1")
                client.send(b"one")
                hosts.apply("h2")
                client.send(b"two")
                assert b"".join(taken.recv(1) for _ in range(6)) == b"onetwo"
                assert (DEVICE in hosts["h1"].host.ip("link")) is (fabric == "vxlan")
            assert [hosts.drift(name) for name in hosts.labs] == [[], []]
            taken.close()


def test_the_device_is_as_wide_as_the_underlay_lets_it_be() -> None:
    with underlay({"h1": THERE["h1"], "h2": THERE["h2"]}, GROUPS, fabric="vxlan", mtu=9000) as hosts:
        hosts.apply()
        assert "mtu 8950" in hosts["h1"].host.ip("link", "show", DEVICE)
