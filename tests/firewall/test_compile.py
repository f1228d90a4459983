"""Documents into rulesets, without a kernel."""

from dataclasses import replace

import pytest

from cloudsync.agent.firewall import names
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.ruleset import Table
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from tests.firewall.documents import DEFAULT, NETWORK, document, egress, group, ingress, instance, sample


def inet(found: HostDocument) -> Table:
    return compile_document(found, 8775).tables["inet"]


def rules(found: HostDocument, chain: str) -> list[str]:
    return [" ".join(rule.parts) for rule in inet(found).chains[chain].rules]


def test_each_form_of_a_rule_is_one_nft_rule() -> None:
    gid = names.identifier("web")
    assert rules(sample(), f"gi_{gid}") == [
        "dccp dport 5004-5005 counter accept",
        "icmp type 3 icmp code 4 counter accept",
        "icmp type 8 counter accept",
        "tcp dport 443 counter accept",
        "udplite dport 5004 counter accept",
        "sctp dport 5 ip saddr 10.30.0.0/24 counter accept",
        "meta l4proto 6 ip saddr 192.0.2.7 counter accept",
        "tcp dport 8000-8010 ip saddr 10.0.0.0/8 counter accept",
        f"meta l4proto 47 ip saddr @{names.members('instance.db')} counter accept",
        f"meta l4proto 1 ip saddr @{names.members('group.default')} counter accept",
    ]
    assert rules(sample(), f"ge_{gid}") == ["counter accept", "udp dport 123 ip daddr 192.0.2.0/24 counter accept"]


def test_dccp_is_told_packet_by_packet_where_its_ports_matter() -> None:
    """And costs nothing elsewhere."""
    own = "iifname . ip saddr . ether saddr @port_src4"
    marked = "meta mark set meta mark | 0x40000000"
    one = instance("a", "10.20.0.2", ("g",))
    for rule, first in ((replace(ingress("any", "dccp"), ports=(5, 5)), 'meta l4proto 33 iifname "cs-*" notrack'),
                        (ingress("any", "dccp"), f'iifname "cs-*" @nh,0,8 69 {own} {marked} accept')):  # fmt: skip
        assert rules(document([one], [group("g", rule)]), "prerouting_raw")[0] == first


def test_rules_bear_the_words_of_the_spec() -> None:
    comments = {rule.comment for rule in inet(sample()).chains[f"gi_{names.identifier('web')}"].rules}
    assert "group.web tcp/443 from any" in comments
    assert "group.web icmp/3.4 from any" in comments


def test_a_port_has_its_groups_and_then_nothing() -> None:
    tap = sample().instances["web-1"].nics[0].tap
    default, web = names.identifier("default"), names.identifier("web")
    found = rules(sample(), f"pi_{tap}")
    assert found[:2] == [f"jump gi_{default}", f"jump gi_{web}"]
    assert "log prefix" in found[2]
    assert found[3:] == ["counter drop"]


def test_no_groups_means_nothing_is_let_through() -> None:
    one = instance("lone", "10.20.0.9", ())
    assert rules(document([one]), f"pi_{one.nics[0].tap}") == ["counter drop"]


def test_port_security_off_is_open_and_still_has_no_ipv6() -> None:
    found = inet(sample())
    tap = sample().instances["probe"].nics[0].tap
    assert rules(sample(), f"pe_{tap}") == ["accept"]
    assert set(found.containers["open_ports"].elements) == {tap}
    assert rules(sample(), "antispoof")[0].endswith("jump not_plain")
    assert rules(sample(), "not_plain")[0] == "meta nfproto ipv6 counter drop"


def test_an_instance_sends_from_all_its_addresses_but_the_open_and_the_filtered_do_not_mix() -> None:
    """A flow is told by its addresses: what an open port may do must not depend on which NIC it leaves by."""
    more = [("default", "10.20.0.3", True), ("default", "10.20.0.4", False), ("default", "10.20.0.5", False)]
    one = instance("a", "10.20.0.2", more=more)
    other = instance("b", "10.20.0.9")
    tables = compile_document(document([one, other]), 8775).tables
    taps = [nic.tap for nic in one.nics]
    macs = [nic.mac for nic in one.nics]
    pairs = [(0, 2), (0, 3), (1, 2), (1, 3), (2, 4), (2, 5), (3, 4), (3, 5)]
    mine = {f"{taps[at]} . 10.20.0.{last} . {macs[at]}" for at, last in pairs}
    theirs = f"{other.nics[0].tap} . 10.20.0.9 . {other.nics[0].mac}"
    opened = {f"{taps[at]} . 10.20.0.{last}" for at, last in pairs if at >= 2}
    assert set(tables["inet"].containers["port_src4"].elements) == {*mine, theirs}
    ends = [key.split(" . ") for key in (*mine, theirs)]
    named = {f"{tap} . {mac} . {mac} . {address}" for tap, address, mac in ends}
    asking = {f"{tap} . {mac} . {mac} . 0.0.0.0" for tap, _, mac in ends}
    assert set(tables["arp"].containers["port_arp"].elements) == named | asking
    assert set(tables["inet"].containers["open_src4"].elements) == opened
    assert tables["arp"].containers["open_arp"] == tables["inet"].containers["open_src4"]


def test_every_nic_has_the_groups_of_its_instance() -> None:
    one = instance("a", "10.20.0.2", more=[("default", "10.20.0.3", True)])
    first, second = (rules(document([one]), f"pi_{nic.tap}") for nic in one.nics)
    assert first == second == [f"jump gi_{names.identifier('default')}", "counter drop"]


def test_stopped_instances_keep_their_entries() -> None:
    containers = inet(sample()).containers
    taps = {nic.tap for one in sample().instances.values() for nic in one.nics}
    assert set(containers["egress"].elements) == set(containers["ingress"].elements) == taps


def test_masquerade_is_for_networks_that_ask_for_it() -> None:
    containers = inet(sample()).containers
    assert set(containers["nat_src4"].elements) == {"10.20.0.0/16"}
    assert set(containers["internal4"].elements) == {"10.20.0.0/16", "10.30.0.0/24"}
    assert set(containers["gateways4"].elements) == {"10.20.0.1", "10.30.0.1"}


def test_members_are_of_the_whole_cloud_and_overlapping_infra_is_one_element() -> None:
    found = replace(sample(), infra=("203.0.113.0/24", "203.0.113.9", "198.51.100.11", "2001:db8::1"))
    containers = inet(found).containers
    assert set(containers[names.members("group.web")].elements) == {"10.20.0.10", "10.20.0.11"}
    assert set(containers["infra4"].elements) == {"203.0.113.0/24", "198.51.100.11"}


def test_groups_that_no_local_port_is_in_cost_nothing() -> None:
    found = document([instance("a", "10.20.0.2")], [DEFAULT, group("unused", ingress("group.other"))])
    assert f"gi_{names.identifier('unused')}" not in inet(found).chains
    assert names.members("group.other") not in inet(found).containers


def test_identifiers_are_legal_bounded_and_distinct() -> None:
    texts = ["web", "a-b", "a_b", "A b", "", "ü" * 300, "x" * 300, "meta", "1", 'q"; drop', "\n"]
    found = [names.identifier(text) for text in texts]
    assert len(set(found)) == len(found)
    assert all(len(name) <= 33 and name.replace("_", "a").isalnum() and name.isascii() for name in found)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (replace(sample(), groups={}), "instance.db is in group.db, which the document does not hold"),
        (document([replace(instance("a", "10.20.0.2"), nics=())], infra=["nonsense"]), "infra: 'nonsense'"),
        (document([], networks=[replace(NETWORK, gateway="10.20.0.1; drop")]), "network.default: '10.20.0.1; drop'"),
        (document([instance("a", "10.20.0.02")]), "instance.a: '10.20.0.02' is not an IPv4 address"),
        (
            document([instance("a", "10.20.0.2", ("g",))], [group("g", ingress("network.lost"))]),
            "group.g: any from network.lost",
        ),
        (document([instance("a", "10.20.0.2", ("g",))], [group("g", egress("any", "256"))]), "'256' is not a protocol"),
        (
            document([instance("a", "10.20.0.2", ("g",))], [group("g", replace(egress("any", "33"), ports=(1, 2)))]),
            "protocol 33 has no ports",
        ),
    ],
)
def test_what_cannot_be_compiled_is_said(broken: HostDocument, words: str) -> None:
    with pytest.raises(HostError) as caught:
        compile_document(broken, 8775)
    assert words in caught.value.message


@pytest.mark.parametrize("field", ["tap", "mac"])
def test_nothing_of_a_port_reaches_nft_unchecked(field: str) -> None:
    one = instance("a", "10.20.0.2")
    evil = 'cs-000000000000" ; drop ; "'
    nic = replace(one.nics[0], tap=evil) if field == "tap" else replace(one.nics[0], mac=evil)
    with pytest.raises(HostError, match=r"instance\.a: "):
        compile_document(document([replace(one, nics=(nic,))]), 8775)


def test_a_tap_belongs_to_one_instance() -> None:
    first = instance("a", "10.20.0.2")
    with pytest.raises(HostError, match=r"instance\.b: its tap .* is also that of instance\.a"):
        compile_document(document([first, replace(first, name="b")]), 8775)
    with pytest.raises(HostError, match=r"instance\.a: its tap .* is also that of instance\.a"):
        compile_document(document([replace(first, nics=first.nics * 2)]), 8775)
