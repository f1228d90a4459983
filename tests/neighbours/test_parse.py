"""Both languages of others' rules, on what the real tools printed; nothing that they may print ends the agent."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsync.agent.neighbours.foreign import UNREADABLE, Act, Asks, Base, Condition, Rule, Tool
from cloudsync.agent.neighbours.iptables import read_tables as read_iptables
from cloudsync.agent.neighbours.nftables import foreign_bases, read_tables
from tests.neighbours.recorded import tables, text


def rules(name: str, table: str, chain: str) -> tuple[Rule, ...]:
    (one,) = (found for found in tables(name) if found.name == table)
    return one.chains[chain].rules


NEW = Condition(Asks.STATE, ("related", "established"))


def test_every_kind_of_iptables_rule() -> None:
    assert rules("mixed.iptables-nft", "filter", "FORWARD") == (
        Rule((NEW,), Act.ACCEPT),
        Rule(
            (
                Condition(Asks.SOURCE, ("172.17.0.0/16",)),
                Condition(Asks.INPUT, ("docker*",)),
                Condition(Asks.OUTPUT, ("docker0",), negated=True),
            ),
            Act.ACCEPT,
        ),
        Rule((Condition(Asks.PROTOCOL, ("tcp",)), Condition(Asks.TARGET_PORT, ("25", "110-143"))), Act.REJECT),
        Rule((Condition(Asks.TARGET_KIND, ("local",)),), Act.NEXT),
        Rule((), Act.GOTO, "user"),
    )
    assert rules("mixed.iptables-nft", "filter", "user") == (
        Rule((Condition(Asks.PROTOCOL, ("tcp",)), Condition(Asks.TARGET_PORT, ("443",))), Act.JUMP, "log-it"),
        Rule((UNREADABLE,), Act.ACCEPT),
        Rule((Condition(Asks.PROTOCOL, ("icmp",)), Condition(Asks.ICMP, ("8",))), Act.ACCEPT),
        Rule((Condition(Asks.PROTOCOL, ("gre",)),), Act.DROP),
        Rule((UNREADABLE,), Act.ACCEPT),
        Rule((Condition(Asks.STATE, ("invalid",)),), Act.DROP),
    )
    assert rules("mixed.iptables-nft", "nat", "POSTROUTING") == (Rule((Condition(Asks.OUTPUT, ("up0",)),), Act.NAT),)


def test_the_same_rules_through_nft_hide_what_is_iptables_own() -> None:
    assert rules("mixed.nft.json", "filter", "FORWARD") == (
        Rule((UNREADABLE,), Act.ACCEPT),
        Rule(
            (
                Condition(Asks.INPUT, ("docker*",)),
                Condition(Asks.OUTPUT, ("docker0",), negated=True),
                Condition(Asks.SOURCE, ("172.17.0.0/16",)),
            ),
            Act.ACCEPT,
        ),
        Rule((Condition(Asks.PROTOCOL, ("tcp",)), UNREADABLE), Act.REJECT),
        Rule((UNREADABLE,), Act.NEXT),
        Rule((), Act.GOTO, "user"),
    )
    assert rules("mixed.nft.json", "nat", "POSTROUTING")[0].act is Act.NAT


def test_every_kind_of_nft_rule() -> None:
    assert rules("own-table.nft.json", "filter", "input") == (
        Rule((Condition(Asks.STATE, ("invalid",)),), Act.DROP),
        Rule((Condition(Asks.STATE, ("established",)),), Act.ACCEPT),
        Rule((Condition(Asks.STATE, ("related",)),), Act.ACCEPT),
        Rule((Condition(Asks.INPUT, ("lo",)),), Act.ACCEPT),
        Rule((UNREADABLE,), Act.ACCEPT),
        Rule((UNREADABLE,), Act.ACCEPT),
        Rule((Condition(Asks.PROTOCOL, ("icmp",)), Condition(Asks.ICMP, ("8",))), Act.ACCEPT),
        Rule((Condition(Asks.PROTOCOL, ("tcp", "udp")), Condition(Asks.TARGET_PORT, ("5353",))), Act.ACCEPT),
        Rule(
            (
                Condition(Asks.PROTOCOL, ("udp",)),
                Condition(Asks.TARGET_PORT, ("67", "123")),
                Condition(Asks.INPUT, ("virbr0", "docker0")),
            ),
            Act.ACCEPT,
        ),
        Rule((Condition(Asks.NEVER),), Act.DROP),
    )
    assert rules("own-table.nft.json", "filter", "forward")[1:] == (
        Rule((Condition(Asks.INPUT, ("docker0",)),), Act.JUMP, "dock"),
        Rule((Condition(Asks.INPUT, ("virbr*",)),), Act.ACCEPT),
        Rule((Condition(Asks.TARGET, ("10.0.0.1-10.0.0.9",)),), Act.ACCEPT),
        Rule((Condition(Asks.TARGET_KIND, ("broadcast",)),), Act.DROP),
        Rule((Condition(Asks.NEVER), Condition(Asks.FAMILY, ("fe80::/10",))), Act.DROP),
        Rule((Condition(Asks.FAMILY, ("ipv6",)),), Act.DROP),
        Rule(
            (
                Condition(Asks.OUTPUT, ("docker0",), negated=True),
                Condition(Asks.SOURCE, ("172.16.0.0/12",)),
                Condition(Asks.TARGET, ("172.17.0.0/16", "172.18.0.1"), negated=True),
            ),
            Act.GOTO,
            "dock",
        ),
        Rule((), Act.REJECT),
    )


def test_base_chains_with_their_hooks_and_policies() -> None:
    (own,) = tables("own-table.nft.json")
    assert own.tool is Tool.NFT
    assert own.bases() == {
        "input": Base("filter", "input", 0, drops=True),
        "forward": Base("filter", "forward", 0),
        "early": Base("nat", "postrouting", 50),
    }
    saved = {table.name: table.bases() for table in tables("docker-20.10.iptables-nft")}
    assert saved["filter"]["FORWARD"] == Base("filter", "forward", 0, drops=True)
    assert saved["nat"]["POSTROUTING"] == Base("nat", "postrouting", 100)
    listed = {table.name: table for table in tables("docker-20.10.nft.json")}
    assert listed["filter"].bases()["FORWARD"] == saved["filter"]["FORWARD"]
    assert listed["filter"].tool is Tool.IPTABLES_NFT


def chain(family: str, table: str, **more: object) -> dict[str, object]:
    return {"chain": {"family": family, "table": table, "name": "c", "handle": 1, **more}}


BASE = {"type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}


@pytest.mark.parametrize(
    ("entry", "foreign"),
    [
        (chain("inet", "filter", **BASE), True),
        (chain("ip", "filter", **BASE), True),
        (chain("inet", "cloudsync", **BASE), False),
        (chain("ip6", "filter", **BASE), False),
        (chain("bridge", "filter", **BASE), False),
        (chain("inet", "filter"), False),
    ],
)
def test_only_others_base_chains_for_ipv4_are_worth_a_second_look(entry: dict[str, object], foreign: bool) -> None:
    assert foreign_bases(json.dumps({"nftables": [{"metainfo": {}}, entry]})) is foreign


@given(st.text())
def test_any_text_is_read_or_left_out_as_iptables_rules(lines: str) -> None:
    read_iptables(lines, Tool.IPTABLES_LEGACY)


WORDS = st.sampled_from(text("mixed.iptables-nft").split() + text("ufw-0.36.iptables-legacy").split())


@given(st.lists(st.lists(WORDS, max_size=8).map(" ".join), max_size=8).map("\n".join))
def test_shuffled_rules_are_read_or_left_out(lines: str) -> None:
    read_iptables("*filter\n" + lines + "\nCOMMIT\n", Tool.IPTABLES_NFT)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["set", "accept", "iifname", "ct", "vmap", "xt", "op"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["match", "left", "data"]), inner),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from(["match", "vmap", "xt", "limit", "jump", "drop"]), VALUES, max_size=1)))
def test_strange_nft_rules_fail_only_in_ways_that_are_expected(expressions: list[dict[str, object]]) -> None:
    rule = {"rule": {"family": "inet", "table": "t", "chain": "c", "handle": 2, "expr": expressions}}
    listing = json.dumps({"nftables": [chain("inet", "t", **BASE), rule]})
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        read_tables(listing)
