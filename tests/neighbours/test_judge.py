"""What is in the way where other programs' firewalls are, and the commands that end it: pure, on recordings."""

import pytest

from cloudsync.agent.neighbours.foreign import Asks, Table, Tool
from cloudsync.agent.neighbours.iptables import read_tables
from cloudsync.agent.neighbours.judge import obstacles
from cloudsync.agent.neighbours.packet import packets
from cloudsync.agent.neighbours.remedy import PROGRAMS
from tests.firewall.documents import NETWORK, document, instance
from tests.neighbours.recorded import found, tables

FORWARDED = ("instances → outside", "outside → instances", "instances → instances")
ASKED = ("instances' DNS", "instances' metadata", "instances' DHCP")
UFW = ("ufw prepend allow in on cs-+", "ufw route prepend allow in on cs-+", "ufw route prepend allow out on cs-+")
DOCKER = ("iptables-nft -I DOCKER-USER -i cs-+ -j ACCEPT", "iptables-nft -I DOCKER-USER -o cs-+ -j ACCEPT")


@pytest.mark.parametrize("name", ["docker-20.10.nft.json", "docker-20.10.iptables-nft"])
def test_docker_drops_what_is_forwarded(name: str) -> None:
    (one,) = found(name)
    assert (one.owner, one.does, one.traffic, one.fix) == ("Docker", "stops", FORWARDED, DOCKER)
    assert one.where == ("table ip filter, chain FORWARD: its policy drops",)
    assert "restart of Docker" in one.note


@pytest.mark.parametrize("name", ["ufw-0.36.iptables-nft", "ufw-0.36.iptables-legacy"])
def test_ufw_drops_what_is_forwarded_and_what_is_asked_of_the_host(name: str) -> None:
    (one,) = found(name)
    assert (one.owner, one.traffic, one.fix) == ("ufw", ASKED + FORWARDED, UFW)
    assert (
        "table " + ("legacy " if "legacy" in name else "") + "ip filter, chain FORWARD: its policy drops" in one.where
    )


def test_ufw_seen_through_nft_alone_is_named_with_the_same_fix() -> None:
    """Matches of iptables' own are hidden there."""
    (one,) = found("ufw-0.36.nft.json")
    assert (one.owner, one.fix) == ("ufw", UFW)
    assert "cannot be read" in one.note


def test_firewalld_rejects_at_its_own_priority() -> None:
    (one,) = found("firewalld-1.3.nft.json")
    assert one.owner == "firewalld"
    assert set(one.traffic) == {*FORWARDED, "instances' DNS", "instances' DHCP"}
    assert one.where[1] == "table inet firewalld, chain filter_FORWARD: its rule 8 rejects in filter_FWD_public"
    assert one.fix[2] == "firewall-cmd --permanent --zone=cloudsync --add-interface=cs-+"
    assert one.fix[-1] == "firewall-cmd --reload"


@pytest.mark.parametrize(
    "name",
    [
        "libvirt-9.0.nft.json",
        "libvirt-9.0.iptables-nft",
        "firewalld-1.3-fixed.nft.json",
        "ufw-0.36-fixed.iptables-nft",
        "ufw-0.36-off.iptables-nft",
    ],
)
def test_what_is_in_nobodys_way_is_not_reported(name: str) -> None:
    assert found(name) == ()


def test_a_table_of_ones_own_is_mended_with_nft() -> None:
    stops, diverts = found("own-table.nft.json")
    assert stops.fix == (
        "nft insert rule inet filter input 'iifname \"cs-*\" accept'",
        "nft insert rule inet filter forward 'iifname \"cs-*\" accept'",
        "nft insert rule inet filter forward 'oifname \"cs-*\" accept'",
    )
    assert (diverts.does, diverts.traffic) == ("diverts", ("instances → outside",))
    assert diverts.fix == ("nft insert rule inet filter early 'iifname \"cs-*\" accept'",)
    assert str(diverts) == "nftables diverts instances → outside"


def test_a_translation_that_comes_after_ours_is_in_nobodys_way() -> None:
    assert all(one.does == "stops" for one in found("mixed.iptables-nft"))


@pytest.mark.parametrize(
    ("programs", "fix"),
    [
        ({"iptables", "iptables-nft"}, DOCKER[0]),
        ({"iptables"}, "iptables -I DOCKER-USER -i cs-+ -j ACCEPT"),
        # Then `iptables` may well be the legacy one, which would do nothing about nft's tables.
        ({"iptables", "iptables-legacy"}, "nft insert rule ip filter FORWARD 'iifname \"cs-*\" accept'"),
        (set(), "nft insert rule ip filter FORWARD 'iifname \"cs-*\" accept'"),
    ],
)
def test_the_fix_takes_a_tool_that_is_there(programs: set[str], fix: str) -> None:
    (one,) = found("docker-20.10.nft.json", frozenset(programs))
    assert one.fix[0] == fix


RULES = """*filter
:INPUT ACCEPT [0:0]
:FORWARD {policy} [0:0]
:LOOP - [0:0]
:USER - [0:0]
{rules}
COMMIT
"""


def traffic(policy: str, *rules: str) -> set[str]:
    """What these rules stop."""
    text = RULES.format(policy=policy, rules="\n".join(rules))
    made = obstacles(read_tables(text, Tool.IPTABLES_LEGACY), tuple(packets(None, "up0", 8775)), frozenset(PROGRAMS))
    return {one for each in made for one in each.traffic}


@pytest.mark.parametrize(
    ("policy", "rules", "stopped"),
    [
        ("DROP", [], {*FORWARDED}),
        ("DROP", ["-A FORWARD -i cs-+ -j ACCEPT"], {"outside → instances"}),
        ("DROP", ["-A FORWARD -i cs-+ -j ACCEPT", "-A FORWARD -o cs-+ -j ACCEPT"], set()),
        ("DROP", ["-A FORWARD ! -i docker0 -j ACCEPT"], set()),
        ("DROP", ["-A FORWARD -j USER", "-A USER -j ACCEPT"], set()),
        ("DROP", ["-A FORWARD -j USER", "-A USER -j RETURN", "-A USER -j ACCEPT"], {*FORWARDED}),
        ("ACCEPT", ["-A FORWARD -g USER", "-A USER -j RETURN", "-A FORWARD -j DROP"], set()),
        ("ACCEPT", ["-A FORWARD -j LOOP", "-A LOOP -j LOOP"], set()),
        ("ACCEPT", ["-A FORWARD -m conntrack --ctstate INVALID -j DROP"], set()),
        ("ACCEPT", ["-A FORWARD -i virbr0 -j REJECT", "-A FORWARD -d 192.168.0.0/16 -j DROP"], set()),
        ("ACCEPT", ["-A FORWARD -s 10.20.0.0/16 -j DROP"], {"instances → outside", "instances → instances"}),
        ("ACCEPT", ["-A FORWARD -p tcp -m tcp --dport 400:500 -j DROP"], {*FORWARDED}),
        ("ACCEPT", ["-A FORWARD -p udp -j DROP", "-A FORWARD -p tcp -m tcp --dport 80 -j DROP"], set()),
        ("ACCEPT", ["-A INPUT -p udp -m udp --dport 67 -j DROP"], {"instances' DHCP"}),
        ("ACCEPT", ["-A INPUT -m addrtype --dst-type BROADCAST -j DROP"], {"instances' DHCP"}),
        # What cannot be read is not guessed: a drop behind it is no certain one, an acceptance no certain one either.
        ("ACCEPT", ["-A FORWARD -m set --match-set bad src -j DROP"], set()),
        ("DROP", ["-A FORWARD -m set --match-set good src -j ACCEPT"], {*FORWARDED}),
    ],
)
def test_a_packet_goes_through_rules_as_in_the_kernel(policy: str, rules: list[str], stopped: set[str]) -> None:
    assert traffic(policy, *rules) == stopped


def test_packets_are_those_of_the_documents_instances() -> None:
    here = document([instance("web", "10.20.0.13"), instance("db", "10.20.0.14")])
    sent = {packet.what: packet.has for packet in packets(here, "eth7", 9000)}
    assert sent["instances → outside"][Asks.OUTPUT] == ("eth7",)
    across = sent["instances → instances"]
    assert {*across[Asks.SOURCE], *across[Asks.TARGET]} == {"10.20.0.13", "10.20.0.14"}
    assert across[Asks.INPUT] == (here.instances["web"].nics[0].tap,)
    assert sent["instances' metadata"][Asks.TARGET_PORT] == ("9000",)
    assert sent["instances' DNS"][Asks.TARGET] == (NETWORK.gateway,)


def test_a_listing_of_both_tools_is_the_same_table_where_both_can_read() -> None:
    by_nft: dict[str, Table] = {table.name: table for table in tables("docker-20.10.nft.json")}
    saved = {table.name: table for table in tables("docker-20.10.iptables-nft")}
    for name in ("filter", "nat"):
        assert {chain: len(value.rules) for chain, value in by_nft[name].chains.items()} == {
            chain: len(value.rules) for chain, value in saved[name].chains.items() if chain in by_nft[name].chains
        }
