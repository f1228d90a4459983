"""What two hosts' rulesets say, put together: who decides, which line that is, and where the spec says otherwise."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.ruleset import Rule, Ruleset
from cloudsync.agent.firewall.trace import rulings
from cloudsync.model.cloud import Cloud, Wanted, WantedNic
from cloudsync.model.problem import Place
from cloudsync.model.resources import Network
from cloudsync.model.ruling import Ruling
from cloudsync.reach.ask import Answer, ask
from cloudsync.reach.live import live
from cloudsync.reach.question import Question
from cloudsync.reach.service import parse
from cloudsync.reach.wanted import of_cloud
from tests.firewall.documents import DEFAULT, NETWORK, egress, group, ingress, instance
from tests.planner.build import SMALL, cloud
from tests.reach.worlds import world

WALLS = (
    DEFAULT,
    group("web", ingress("any", "tcp", (80, 82)), egress()),
    group("db", ingress("group.web", "tcp", (5432, 5432)), egress("192.0.2.0/24")),
)
WORLD = world([instance("web", "10.20.0.11", ("web",))], [instance("db", "10.20.0.12", ("db",))], WALLS)
RULESETS = {host.host: compile_document(host, 8775) for host in WORLD.hosts}
LOCAL = frozenset({"10.20.0.1", "10.30.0.1"})


def wanted(name: str, *groups: str) -> Wanted:
    return Wanted(
        name=name, base=name, image="debian", flavor=SMALL, nics=(WantedNic(network="default"),), groups=groups
    )


def spec() -> Cloud:
    networks = {
        "default": NETWORK,
        "back": Network(name="back", subnet="10.30.0.0/24", gateway="10.30.0.1", domain="b"),
    }
    found = cloud(wanted("web", "web"), wanted("db", "db"), wanted("new", "web"), networks=networks)
    return replace(
        found,
        groups={one.name: one for one in WALLS},
        places={"group.web": Place("cloud.yaml", 9, 3), "group.db/ingress/0": Place("cloud.yaml", 14, 7)},
        written={"db": (("group.db/ingress/0", ingress("group.web", "tcp", (5432, 5432))), *())},
    )


def answer(source: str, target: str, service: str, kernel: Mapping[str, Ruleset] | None = None) -> Answer:
    held = {**RULESETS, **(kernel or {})}
    documents = {host.host: host for host in WORLD.hosts}

    def enquire(host: str, asked: Question) -> tuple[Ruling, ...]:
        return rulings(held[host], documents[host], asked, LOCAL, RULESETS[host])

    return live(spec(), documents, (source, target), parse(service), enquire)


def with_rule(host: str, chain: str, *parts: str) -> dict[str, Ruleset]:
    """That host's kernel with a rule that somebody put first in a chain."""
    ruleset = RULESETS[host]
    table = ruleset.tables["inet"]
    held = table.chains[chain]
    chains = {**table.chains, chain: replace(held, rules=(Rule(parts, packets=7, handle=57), *held.rules))}
    return {host: replace(ruleset, tables={**ruleset.tables, "inet": replace(table, chains=chains)})}


def verdicts(found: Answer) -> list[tuple[str, str, str | None]]:
    return [(str(pair.service), pair.verdict.value, pair.spec and pair.spec.value) for pair in found.pairs]


def test_both_hosts_must_let_it_pass_and_the_receivers_rule_is_named() -> None:
    (pair,) = answer("web", "db", "tcp/5432").pairs
    assert (pair.verdict, pair.spec) == ("allowed", "allowed")
    assert pair.rule is not None
    assert (pair.rule.address, pair.rule.file, pair.rule.line) == ("group.db", "cloud.yaml", 14)
    assert [stop.split(":")[0] for stop in pair.path[1:-1]] == [
        "kvm-1 forward_from",
        "kvm-1 forward_to",
        "kvm-2 forward_from",
        "kvm-2 forward_to",
    ]


def test_the_first_host_that_drops_it_decides() -> None:
    (pair,) = answer("db", "web", "tcp/80").pairs
    assert (pair.verdict, pair.rule and pair.rule.address) == ("denied", "instance.db")
    assert "on kvm-2, chain pe_" in pair.because


def test_what_was_put_in_by_hand_shows_beside_what_the_spec_says() -> None:
    opened = with_rule("kvm-2", "forward_to", "tcp dport 22", "accept")
    assert verdicts(answer("web", "db", "tcp/22", opened)) == [("tcp/22", "allowed", "denied")]
    assert verdicts(answer("web", "db", "any", opened)) == [
        ("tcp/22", "allowed", "denied"),
        ("tcp/5432", "allowed", "allowed"),
    ]
    closed = with_rule("kvm-1", "forward_from", "tcp dport 5432", "counter", "drop")
    (pair,) = answer("web", "db", "tcp/5432", closed).pairs
    assert (pair.verdict, pair.spec) == ("denied", "allowed")
    assert "kvm-1" in pair.because
    assert "7 packets" in pair.because


def test_the_rule_that_somebody_put_in_is_named() -> None:
    opened = with_rule("kvm-2", "forward_to", "tcp dport 22", "accept")
    (pair,) = answer("web", "db", "tcp/22", opened).pairs
    assert pair.rule is None
    assert pair.because == (
        "on kvm-2, chain forward_to: tcp dport 22 accept, 7 packets so far; this rule is not cloudsync's: apply, or on "
        "that host: nft delete rule inet cloudsync forward_to handle 57"
    )
    closed = with_rule("kvm-1", "forward_from", "tcp dport 5432", "counter", "drop")
    (pair,) = answer("web", "db", "tcp/5432", closed).pairs
    assert "nft delete rule inet cloudsync forward_from handle 57" in pair.because
    (pair,) = answer("web", "db", "tcp/5432").pairs
    assert "not cloudsync's" not in pair.because


def test_protocols_are_told_by_name() -> None:
    closed = with_rule("kvm-1", "forward_from", "meta l4proto 132", "counter", "drop")
    (pair,) = answer("web", "db", "sctp/9", closed).pairs
    assert "meta l4proto sctp counter drop" in pair.because


def test_a_hole_in_a_range_is_told_with_the_range() -> None:
    hole = with_rule("kvm-1", "forward_to", "tcp dport 81", "drop")
    assert verdicts(answer("internet", "web", "any", hole)) == [
        ("tcp/80-82", "allowed", "allowed"),
        ("tcp/81", "denied", "allowed"),
    ]


def test_a_yes_for_a_range_is_one_for_each_of_its_ports() -> None:
    denied, allowed = ("denied", "denied"), ("allowed", "allowed")
    whole = answer("internet", "web", "tcp/1-65534")
    assert verdicts(whole) == [("tcp/80-82", *allowed), ("tcp/1-79", *denied), ("tcp/83-65534", *denied)]
    assert not whole.yes
    assert verdicts(answer("internet", "web", "tcp/82-83")) == [("tcp/82", *allowed), ("tcp/83", *denied)]
    assert verdicts(answer("web", "db", "tcp/5431-5432")) == [("tcp/5432", *allowed), ("tcp/5431", *denied)]
    assert verdicts(answer("internet", "web", "tcp/81-82")) == [("tcp/81-82", *allowed)]
    assert verdicts(answer("internet", "web", "udp/81-82")) == [("udp/81-82", *denied)]
    hole = with_rule("kvm-1", "forward_to", "tcp dport 81", "drop")
    assert verdicts(answer("internet", "web", "tcp/80-82", hole)) == [
        ("tcp/80", *allowed),
        ("tcp/82", *allowed),
        ("tcp/81", "denied", "allowed"),
    ]


def test_a_code_of_icmp_is_not_its_whole_type() -> None:
    opened = with_rule("kvm-1", "forward_to", "icmp type 3", "icmp code 4", "accept")
    assert verdicts(answer("internet", "web", "icmp", opened)) == [("icmp/3.4", "allowed", "denied")]
    assert verdicts(answer("internet", "web", "icmp/3.4", opened)) == [("icmp/3.4", "allowed", "denied")]
    assert verdicts(answer("internet", "web", "icmp/3", opened)) == [("icmp/3", "denied", "denied")]


def test_what_never_leaves_is_no_difference_and_no_exception() -> None:
    """Connection tracking takes UDP-Lite for damaged, so nothing translates it: model and kernel say so both."""
    assert verdicts(answer("web", "internet", "any")) == [("any", "allowed", "allowed")]
    assert verdicts(answer("web", "internet", "udplite/5004")) == [("udplite/5004", "denied", "denied")]
    (pair,) = ask(spec(), of_cloud(spec()), "web", "internet", parse("udplite/5004")).pairs
    assert pair.because.startswith("udplite does not leave the cloud, whatever groups say")


def test_a_rule_that_cannot_be_read_makes_it_depend() -> None:
    strange = with_rule("kvm-2", "forward_to", '{"xt": null}', "accept")
    assert verdicts(answer("web", "db", "tcp/5432", strange)) == [("tcp/5432", "depends", "allowed")]


def test_a_table_that_is_gone_lets_nothing_pass() -> None:
    (pair,) = answer("web", "db", "tcp/5432", {"kvm-2": Ruleset()}).pairs
    assert (pair.verdict, pair.rule) == ("denied", None)
    assert "the firewall table inet cloudsync is missing" in pair.because


def test_the_host_itself_is_asked_about_too() -> None:
    assert verdicts(answer("db", "10.20.0.1", "udp/53")) == [("udp/53", "allowed", "allowed")]
    assert verdicts(answer("db", "10.20.0.1", "tcp/22")) == [("tcp/22", "denied", "denied")]
    assert verdicts(answer("web", "169.254.169.254", "tcp/80")) == [("tcp/80", "allowed", "allowed")]
    assert verdicts(answer("web", "169.254.169.254", "tcp/22")) == [("tcp/22", "denied", "denied")]
    cut = with_rule("kvm-1", "guest_to_host", "tcp dport 8775", "drop")
    assert verdicts(answer("web", "169.254.169.254", "tcp/80", cut)) == [("tcp/80", "denied", "allowed")]
    (unasked,) = answer("new", "169.254.169.254", "tcp/80").pairs
    assert unasked.because == "instance.new is not on any host yet"
    blocked = with_rule("kvm-2", "guest_to_host", "drop")
    assert verdicts(answer("db", "10.20.0.1", "udp/53", blocked)) == [("udp/53", "denied", "allowed")]


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"])  # noqa: S104
def test_what_no_host_forwards_reaches_nobody(address: str) -> None:
    for ends in (("web", address), (address, "web")):
        told = ask(spec(), of_cloud(spec()), *ends, parse("tcp/80"))
        assert verdicts(told) == [("tcp/80", "denied", None)]
        assert verdicts(answer(*ends, "tcp/80")) == [("tcp/80", "denied", None)]


def test_what_is_on_a_host_that_cannot_be_asked_is_unknown() -> None:
    documents = {host.host: host for host in WORLD.hosts if host.host != "kvm-2"}

    def enquire(host: str, asked: Question) -> tuple[Ruling, ...]:
        return rulings(RULESETS[host], documents[host], asked, LOCAL, RULESETS[host])

    away = {"db": "host.kvm-2, which is unreachable"}
    for ends in (("web", "db"), ("db", "web"), ("db", "169.254.169.254")):
        found = live(spec(), documents, ends, parse("tcp/80"), enquire, away)
        (pair,) = found.pairs
        assert (pair.verdict, found.yes) == ("depends", False)
        assert pair.because == "unknown: instance.db is on host.kvm-2, which is unreachable"


def test_what_is_not_there_yet_is_not_asked_about() -> None:
    (pair,) = answer("new", "db", "tcp/5432").pairs
    assert (pair.verdict, pair.because) == ("denied", "instance.new is not on any host yet")
