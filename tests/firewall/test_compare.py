"""Differences named by addresses of the spec."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cloudsync.agent.firewall import names
from cloudsync.agent.firewall.compare import differences
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.ruleset import Chain, Rule, Ruleset, Table
from tests.firewall.documents import sample

WANTED = compile_document(sample(), 8775)
INET = WANTED.tables["inet"]
TAP = sample().instances["web-1"].nics[0].tap
WEB = f"gi_{names.identifier('web')}"


def seen(table: Table, family: str = "inet") -> list[tuple[str, str]]:
    return [(one.address, one.message) for one in differences(WANTED, Ruleset({**WANTED.tables, family: table}))]


def without(container: str, key: str) -> Table:
    old = INET.containers[container]
    return _changed(container, {one: value for one, value in old.elements.items() if one != key})


def _changed(container: str, elements: Mapping[str, str]) -> Table:
    return replace(
        INET, containers={**INET.containers, container: replace(INET.containers[container], elements=elements)}
    )


def chain(name: str, **changes: object) -> Table:
    return replace(INET, chains={**INET.chains, name: replace(INET.chains[name], **changes)})  # type: ignore[arg-type]


def test_equal_is_nothing() -> None:
    assert differences(WANTED, WANTED) == ()


@pytest.mark.parametrize(
    ("table", "address", "message"),
    [
        (
            chain(WEB, rules=tuple(rule for rule in INET.chains[WEB].rules if "443" not in str(rule))),
            "group.web",
            "rule tcp/443 from any is missing",
        ),
        (
            chain(WEB, rules=(*INET.chains[WEB].rules, Rule(("tcp dport 22", "accept")))),
            "group.web",
            f"a rule of chain {WEB} is not ours: tcp dport 22 accept",
        ),
        (
            chain(WEB, rules=INET.chains[WEB].rules[::-1]),
            "group.web",
            f"the rules of chain {WEB} are in another order",
        ),
        (
            without("port_src4", next(key for key in INET.containers["port_src4"].elements if key.startswith(TAP))),
            "instance.web-1",
            "its anti-spoofing entry is missing",
        ),
        (without("ingress", TAP), "instance.web-1", "its incoming rules are not in force"),
        (
            without(names.members("group.web"), "10.20.0.11"),
            "group.web",
            "member 10.20.0.11 (instance.web-2) is missing",
        ),
        (
            _changed(names.members("group.web"), {"10.20.0.10": "", "10.20.0.11": "", "10.9.9.9": ""}),
            "group.web",
            "10.9.9.9 was added to its members",
        ),
        (_changed("infra4", {"203.0.113.0/24": ""}), "host.kvm-1", None),
        (
            replace(INET, chains={**INET.chains, "trap": Chain()}),
            "host.kvm-1",
            "chain trap in table inet cloudsync is not ours",
        ),
        (
            replace(INET, others=frozenset({("counter", "spy")})),
            "host.kvm-1",
            "counter spy in table inet cloudsync is not ours",
        ),
    ],
)
def test_each_difference_has_an_address(table: Table, address: str, message: str | None) -> None:
    ((found, words),) = seen(table)
    assert found == address
    assert message is None or words == message


def told_of(name: str, *rules: Rule) -> str:
    ((_, message),) = seen(chain(name, rules=rules))
    return message


def test_protocols_are_told_by_the_names_that_a_spec_gives_them() -> None:
    there = INET.chains["forward_from"].rules
    (init,) = [rule for rule in there if rule.parts[0] == "meta l4proto 132"]
    said = told_of("forward_from", *(rule for rule in there if rule != init))
    assert said.startswith("rule `meta l4proto sctp ct state new "), said
    gre = [rule for rule in INET.chains[WEB].rules if "l4proto 47" not in str(rule)]
    assert told_of(WEB, *gre) == "rule gre from instance.db is missing"


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("meta l4proto 132", "meta l4proto sctp"),
        ("meta l4proto != 47", "meta l4proto != gre"),
        ("ip protocol 1", "ip protocol icmp"),
        ("meta l4proto {6, 17, 200}", "meta l4proto {tcp, udp, 200}"),
        ("meta l4proto 6-17", "meta l4proto 6-17"),
        ("meta l4proto 254", "meta l4proto 254"),
        ("meta l4proto . ip saddr @pairs", "meta l4proto . ip saddr @pairs"),
        ("tcp dport 47", "tcp dport 47"),
    ],
)
def test_a_strangers_rule_is_told_with_protocols_by_name(part: str, said: str) -> None:
    strange = Rule((part, "accept"), comment="mine 132")
    message = told_of(WEB, *INET.chains[WEB].rules, strange)
    assert message == f'a rule of chain {WEB} is not ours: {said} accept comment "mine 132"'


def test_a_changed_base_chain_is_described() -> None:
    base = INET.chains["forward_to"].base
    assert base is not None
    ((address, message),) = seen(chain("forward_to", base=replace(base, priority=5)))
    assert address == "host.kvm-1"
    assert message == (
        "chain forward_to was changed: filter forward priority 5 policy accept"
        " instead of filter forward priority -9 policy accept"
    )


def test_a_missing_table_is_one_difference() -> None:
    found = differences(WANTED, Ruleset({"inet": INET}))
    assert [(one.address, one.message) for one in found] == [
        ("host.kvm-1", "the firewall table arp cloudsync is missing")
    ]
