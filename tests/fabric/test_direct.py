"""Instances on different hosts of one Ethernet, guests being namespaces: they talk as if they shared a wire."""

import re
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cloudsync.model.problem import HostError
from tests.fabric.scene import GROUPS, THERE, A, B, C, resolved, source_outside, source_seen
from tests.lab import frames
from tests.lab.joined import Hosts, routes, underlay

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def standing() -> Iterator[Hosts]:
    with underlay(THERE, GROUPS) as made:
        yield made


@pytest.fixture
def hosts(standing: Hosts) -> Hosts:
    """As the spec says, whatever the test before has done."""
    standing.instances = {name: list(there) for name, there in THERE.items()}
    standing.apply()
    return standing


def test_each_host_has_one_route_for_each_instance_elsewhere(hosts: Hosts) -> None:
    assert routes(hosts["h1"]) == {B: "198.51.100.12 up0", C: "198.51.100.13 up0"}
    assert routes(hosts["h2"]) == {A: "198.51.100.11 up0", C: "198.51.100.13 up0"}
    assert [hosts.drift(name) for name in hosts.labs] == [[], [], []]


def test_a_packet_between_instances_keeps_its_source_and_one_to_outside_gets_the_hosts(hosts: Hosts) -> None:
    assert source_seen(hosts) == A
    assert source_outside(hosts) == "198.51.100.11"


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_group_as_source_means_its_members_on_every_host(hosts: Hosts, kind: int) -> None:
    assert hosts.reaches(hosts.guest("a"), "b", 80, kind)
    assert not hosts.reaches(hosts.guest("a"), "b", 81, kind)
    assert not hosts.reaches(hosts.guest("c"), "b", 80, kind)


def test_whoever_comes_to_a_group_or_leaves_it_is_let_in_or_not(hosts: Hosts) -> None:
    (one,) = hosts.instances["h3"]
    hosts.instances["h3"] = [replace(one, groups=("client",))]
    hosts.apply("h2")
    assert hosts.reaches(hosts.guest("c"), "b", 80)
    hosts.instances["h3"] = [one]
    hosts.apply("h2")
    assert not hosts.reaches(hosts.guest("c"), "b", 80)


@pytest.mark.parametrize("guest", ["a", "b", "c"])
def test_names_of_all_instances_resolve_on_every_host(hosts: Hosts, guest: str) -> None:
    found = [resolved(hosts, guest, f"{name}.demo.internal") for name in ("a", "b", "c", "d")]
    assert found == [{A}, {B}, {C}, set()]


def test_routes_of_instances_that_went_or_moved_and_of_hosts_that_left_go(hosts: Hosts) -> None:
    hosts.instances["h2"], hosts.instances["h3"] = [], [*hosts.instances["h3"], *hosts.instances["h2"]]
    hosts.apply("h1")
    assert routes(hosts["h1"]) == {B: "198.51.100.13 up0", C: "198.51.100.13 up0"}
    hosts.instances["h3"] = []
    hosts.apply("h1")
    assert routes(hosts["h1"]) == {}
    assert "unreachable 10.20.0.0/16" in hosts["h1"].host.ip("route", "show", "match", B)


def test_drift_is_named_and_repaired_and_what_is_not_ours_stays(hosts: Hosts) -> None:
    h1 = hosts["h1"].host
    h1.ip("route", "add", "192.0.2.0/24", "via", "198.51.100.13")
    h1.ip("route", "add", "10.20.0.99", "via", "198.51.100.13")
    h1.ip("route", "del", B)
    h1.ip("route", "replace", C, "via", "198.51.100.12", "proto", "197")
    h1.ip("route", "add", "10.20.0.98", "via", "198.51.100.12", "proto", "197")
    assert hosts.drift("h1") == [
        ("instance.b", f"the route `{B} via 198.51.100.12` is missing"),
        ("instance.c", f"the route `{C} via 198.51.100.13` is missing: there is `{C} via 198.51.100.12`"),
        ("host.h1", "the route `10.20.0.98 via 198.51.100.12` is not wanted"),
    ]
    hosts.apply("h1")
    assert hosts.drift("h1") == []
    assert routes(hosts["h1"]) == {B: "198.51.100.12 up0", C: "198.51.100.13 up0"}
    kept = h1.ip("route", "show", "proto", "boot")
    assert re.search(r"10\.20\.0\.99 .*\n192\.0\.2\.0/24", kept)
    h1.ip("route", "del", "192.0.2.0/24")
    h1.ip("route", "del", "10.20.0.99")


def test_somebody_elses_route_to_an_instance_is_put_behind_ours(hosts: Hosts) -> None:
    h1 = hosts["h1"].host
    h1.ip("route", "del", B)
    h1.ip("route", "add", B, "via", "198.51.100.13")
    hosts.apply("h1")
    assert "via 198.51.100.12" in h1.ip("route", "get", B)
    assert f"{B} via 198.51.100.13" in h1.ip("route", "show", "proto", "boot")
    h1.ip("route", "del", B, "via", "198.51.100.13")


def datagram(source: str, target: str = B) -> bytes:
    return frames.udp4(source, target, (4000, 80), b"?")


def test_whoever_says_to_be_an_instance_is_believed_only_where_the_way_to_it_is(hosts: Hosts) -> None:
    """On the Ethernet that hosts share, a machine can do what a host can: that one has to be kept to hosts."""
    hosts["h2"].host.ip("link", "add", "other0", "type", "veth", "peer", "name", "other", "netns", hosts.between.name)
    for namespace, device in ((hosts["h2"].host, "other0"), (hosts.between, "other")):
        namespace.ip("link", "set", device, "up")
    assert hosts.forged("h2", datagram(A))
    assert not hosts.forged("h2", datagram(A), "other0")
    hosts["h2"].host.ip("link", "del", "other0")


@pytest.mark.parametrize("source", ["10.20.0.77", B, "10.20.0.1", C])
def test_an_instance_that_nobody_is_or_that_is_here_is_believed_nowhere_else(hosts: Hosts, source: str) -> None:
    """Nor one that may not, c."""
    assert not hosts.forged("h2", datagram(source))


def test_without_our_table_nothing_is_forwarded_between_hosts(hosts: Hosts) -> None:
    hosts["h2"].nft("flush ruleset")
    with hosts.guest("a").namespace.socket() as client:
        client.settimeout(10)
        with pytest.raises(OSError, match=r"No route to host|timed out"):
            client.connect((B, 80))
    hosts.apply("h2")
    assert hosts.reaches(hosts.guest("a"), "b", 80)


def test_a_host_behind_a_router_is_refused_by_name_and_nothing_stays_half() -> None:
    with underlay({"h1": THERE["h1"], "h2": THERE["h2"]}, GROUPS, routed=True) as hosts:
        with pytest.raises(HostError, match=f"198.51.101.12, behind which {B} is, cannot be reached without a router"):
            hosts.apply("h1")
        assert routes(hosts["h1"]) == {}


def test_a_host_without_others_gets_neither_routes_nor_a_device() -> None:
    with underlay({"h1": THERE["h1"]}, GROUPS, fabric="vxlan") as hosts:
        hosts.addresses.clear()
        hosts.apply()
        assert routes(hosts["h1"]) == {}
        assert "vxlan" not in hosts["h1"].host.ip("-d", "link")
        assert hosts.drift("h1") == []


def test_removal_takes_the_routes_too(hosts: Hosts) -> None:
    hosts["h1"].remove()
    assert "proto 197" not in hosts["h1"].host.ip("route") + hosts["h1"].host.ip("rule")
    hosts["h1"].remove()
