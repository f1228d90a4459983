"""Other programs' firewalls in the way of packets between hosts: pure, on recordings."""

from dataclasses import replace

import pytest

from cloudsync.agent.neighbours.judge import obstacles
from cloudsync.agent.neighbours.packet import packets
from cloudsync.agent.neighbours.remedy import PROGRAMS
from cloudsync.model.obstacle import Obstacle
from tests.firewall.documents import document, instance
from tests.neighbours.recorded import tables

HERE = replace(document([instance("a", "10.20.0.11")]), underlay={"kvm-1": "192.0.2.11", "kvm-2": "192.0.2.12"})
BETWEEN = ("instances → instances on other hosts", "instances on other hosts → instances")


def found(name: str, fabric: str) -> tuple[Obstacle, ...]:
    known = replace(HERE, fabric=fabric)
    return obstacles(tables(name), tuple(packets(known, "up0", 8775)), frozenset(PROGRAMS))


@pytest.mark.parametrize("fabric", ["direct", "vxlan"])
def test_dockers_drop_is_in_the_way_and_the_same_two_commands_end_it(fabric: str) -> None:
    (one,) = found("docker-20.10.iptables-nft", fabric)
    assert one.traffic[3:] == BETWEEN
    assert one.fix == (
        "iptables-nft -I DOCKER-USER -i cs-+ -j ACCEPT",
        "iptables-nft -I DOCKER-USER -o cs-+ -j ACCEPT",
    )


def test_ufw_stops_the_tunnel_itself_too() -> None:
    (one,) = found("ufw-0.36.iptables-nft", "vxlan")
    assert "the tunnel from other hosts" in one.traffic
    assert "the tunnel to other hosts" not in one.traffic
    assert "ufw prepend allow in proto udp to any port 4789" in one.fix
    (one,) = found("ufw-0.36.iptables-nft", "direct")
    assert "the tunnel from other hosts" not in one.traffic
    assert not any("4789" in line for line in one.fix)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("firewalld-1.3.nft.json", "firewall-cmd --permanent --add-port=4789/udp"),
        ("own-table.nft.json", "nft insert rule inet filter input 'udp dport 4789 accept'"),
    ],
)
def test_others_that_stop_the_tunnel_get_a_command_each(name: str, line: str) -> None:
    assert any(line in one.fix and "the tunnel from other hosts" in one.traffic for one in found(name, "vxlan"))


def test_a_host_alone_is_asked_about_nothing_of_it() -> None:
    whats = {packet.what for packet in packets(replace(HERE, underlay={}), "up0", 8775)}
    assert not whats & {*BETWEEN, "the tunnel from other hosts", "the tunnel to other hosts"}
