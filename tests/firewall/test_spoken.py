"""What was done to a group's chain, as a rule of the spec: the very same, or none."""

from dataclasses import replace

import pytest

from cloudsync.agent.firewall import names, spoken
from cloudsync.agent.firewall.compare import differences
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.rules import nft_rule
from cloudsync.agent.firewall.ruleset import Rule as NftRule
from cloudsync.agent.firewall.ruleset import Ruleset
from cloudsync.model.resources import Direction, Rule
from cloudsync.model.snapshot import Drift
from tests.firewall.documents import sample

DOCUMENT = sample()
WANTED = compile_document(DOCUMENT, 8775)
INET = WANTED.tables["inet"]


def told(chain: str, *rules: NftRule) -> list[Drift]:
    changed = replace(INET, chains={**INET.chains, chain: replace(INET.chains[chain], rules=rules)})
    found = differences(WANTED, Ruleset({**WANTED.tables, "inet": changed}))
    return [spoken.drift(one, DOCUMENT) for one in found]


def chain(group: str, direction: str = "gi_") -> str:
    return direction + names.identifier(group)


@pytest.mark.parametrize("group", sorted(DOCUMENT.groups))
def test_each_rule_that_is_taken_away_is_that_rule(group: str) -> None:
    for prefix, direction in (("gi_", Direction.INGRESS), ("ge_", Direction.EGRESS)):
        name = chain(group, prefix)
        there = INET.chains[name].rules if name in INET.chains else ()
        for index in range(len(there)):
            (one,) = told(name, *there[:index], *there[index + 1 :])
            assert one.removed in DOCUMENT.groups[group].rules
            assert one.removed
            assert (one.removed.direction, one.added, one.address) == (direction, None, f"group.{group}")


@pytest.mark.parametrize("group", sorted(DOCUMENT.groups))
def test_each_rule_that_is_put_in_means_that(group: str) -> None:
    """What the compiler writes for a group, once more; a network's name is its subnet there."""
    full = chain(group)
    for rule in INET.chains[full].rules if full in INET.chains else ():
        (one,) = [found for found in told(full, *INET.chains[full].rules, replace(rule, comment="mine")) if found.added]
        assert one.added
        same = nft_rule(one.added, group, DOCUMENT)
        assert same
        assert same.parts == rule.parts


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        (("tcp dport 8443", "accept"), Rule(direction=Direction.INGRESS, protocol="tcp", ports=(8443, 8443))),
        (
            ("udp dport 1-9", "ip saddr 192.0.2.7", "counter", "accept"),
            Rule(direction=Direction.INGRESS, protocol="udp", ports=(1, 9), remote="192.0.2.7/32"),
        ),
        (
            ("ip saddr 192.0.2.0/24", "icmp type 8", "accept"),
            Rule(direction=Direction.INGRESS, protocol="icmp", icmp=(8, None), remote="192.0.2.0/24"),
        ),
        (("meta l4proto 47", "accept"), Rule(direction=Direction.INGRESS, protocol="47")),
        (("meta l4proto 6", "accept"), Rule(direction=Direction.INGRESS, protocol="tcp")),
        (("accept",), Rule(direction=Direction.INGRESS)),
        (("tcp dport 8443", "drop"), None),
        (("tcp dport 8443", "limit rate 5/second", "accept"), None),
        (("tcp dport 8443", "tcp dport 8444", "accept"), None),
        (("tcp dport {80, 443}", "accept"), None),
        (("tcp sport 8443", "accept"), None),
        (("ip daddr 192.0.2.7", "accept"), None),
        (("ip saddr @strangers", "accept"), None),
        (("ip saddr 192.0.2.7-192.0.2.9", "accept"), None),
        (("jump elsewhere",), None),
    ],
)
def test_what_a_person_may_write(parts: tuple[str, ...], rule: Rule | None) -> None:
    name = chain("web")
    (one,) = told(name, *INET.chains[name].rules, NftRule(parts))
    assert (one.added, one.removed) == (rule, None)
    assert "is not ours" in one.message


def test_the_other_direction() -> None:
    name = chain("web", "ge_")
    (one,) = told(name, *INET.chains[name].rules, NftRule(("udp dport 53", "accept")))
    assert one.added == Rule(direction=Direction.EGRESS, protocol="udp", ports=(53, 53))


def test_what_is_no_groups_is_told_as_before() -> None:
    base = next(name for name, one in INET.chains.items() if one.base)
    assert {one.added or one.removed for one in told(base, NftRule(("accept",)))} == {None}
