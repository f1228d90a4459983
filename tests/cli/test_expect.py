"""`expect:` in a spec: what is broken fails validate, plan and apply, at its line and with the rule that breaks it."""

import json

import pytest

from tests.cli.terminal import Terminal
from tests.cli.test_reach import SPEC
from tests.house.promised import broken
from tests.spec.repository import Repository


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ("deny: {from: internet, to: group.db}", True),
        ("deny: {from: internet, to: group.web}", False),
        ("deny: {from: internet, to: group.web, protocol: tcp, port: 22}", True),
        ("deny: {from: 192.0.2.0/24, to: web, protocol: tcp, port: 8005}", False),
        ("deny: {from: internet, to: instance.web-2, protocol: udp}", True),
        ("allow: {from: group.web, to: group.db, protocol: tcp, port: 5432}", True),
        ("allow: {from: group.web, to: group.db}", False),
        ("allow: {from: internet, to: web, protocol: tcp, port: 8005}", False),
        ("allow: {from: 192.0.2.0/25, to: web, protocol: tcp, port: 8005}", True),
        ("allow: {from: network.back, to: network.default}", False),
        ("deny: {from: group.empty, to: group.db}", True),
        ("allow: {from: db, to: 192.0.2.7, protocol: udp, port: 123}", True),
        ("deny: {from: internet, to: 192.0.2.1}", False),
    ],
)
def test_expectations_hold_or_fail_everywhere(terminal: Terminal, claim: str, holds: bool) -> None:
    if " web" in claim:
        claim = claim.replace(" web,", " instance.web,")
    claim = claim.replace("from: db", "from: instance.db")
    terminal.write(f"{SPEC}expect:\n  - {{{claim}}}\n")
    code = 0 if holds else 1
    checked = terminal.type("validate")
    assert checked.code == code, checked.out + checked.err
    plan = terminal.type("plan", "--format", "json")
    assert plan.code == code
    found = json.loads(plan.out)
    assert broken(found, "plan") == []
    (one,) = found["expectations"]
    assert one["holds"] is holds
    assert one["line"] == len(SPEC.splitlines()) + 2
    assert terminal.type("apply", "-y").code == code
    if not holds:
        place = f"{terminal.spec}:{len(SPEC.splitlines()) + 2}:"
        assert place in checked.out
        assert place in plan.err
        assert json.loads(terminal.type("status", "--format", "json").out)["instances"] == []


def test_the_rule_that_breaks_it_is_named(terminal: Terminal) -> None:
    terminal.write(f"{SPEC}expect:\n  - {{deny: {{from: internet, to: group.web, protocol: tcp, port: 443}}}}\n")
    line = next(number for number, text in enumerate(SPEC.splitlines(), 1) if "[80, 443]" in text)
    (problem,) = json.loads(terminal.type("validate", "--format", "json").out)["problems"]
    assert "deny internet → group.web tcp/443 does not hold" in problem["message"]
    assert f"the rule is in {terminal.spec}:{line}" in problem["hint"]
    assert problem["source"].strip().startswith("- {deny:")
    (one,) = json.loads(terminal.type("plan", "--format", "json").out)["expectations"]
    assert one["rule"] == {"address": "group.web", "file": str(terminal.spec), "line": line}
    assert "Expectations\n  ✗ deny internet → group.web tcp/443" in terminal.type("plan").out


@pytest.mark.parametrize("command", [("plan",), ("diff",), ("apply", "-y")])
def test_a_plan_as_text_says_once_what_does_not_hold_and_at_the_line_only_where(
    terminal: Terminal, command: tuple[str, ...]
) -> None:
    terminal.write(SPEC)
    Repository.new(terminal.folder).commit()
    terminal.write(f"{SPEC}expect:\n  - {{deny: {{from: internet, to: group.web, protocol: tcp, port: 443}}}}\n")
    shown = terminal.type(*command)
    said, why = "deny internet → group.web tcp/443", "is allowed: group.web lets in"
    assert (shown.code, shown.out.count(f"✗ {said}"), shown.err.count(said)) == (1, 1, 0)
    assert (shown.out.count(why), shown.err.count(why)) == (1, 0)
    assert f"{terminal.spec}:{len(SPEC.splitlines()) + 2}:" in shown.err
    assert "the rule is in" in shown.err
    assert said in terminal.type("plan", "--format", "json").err


def test_what_depends_on_an_address_is_left_to_the_plan(terminal: Terminal) -> None:
    """10.30.0.128/25 may ask web for tcp/22: whether `open` is there is decided when it is placed."""
    spec = SPEC.replace("network: back}", "network: back, security_groups: [empty]}")
    terminal.write(f"{spec}expect:\n  - {{deny: {{from: instance.open, to: instance.web, protocol: tcp, port: 22}}}}\n")
    assert terminal.type("validate").code == 0
    plan = json.loads(terminal.type("plan", "--format", "json").out)
    (address,) = [
        field["after"]
        for change in plan["changes"]
        if change["address"] == "instance.open"
        for field in change["fields"]
        if field["path"] == "address"
    ]
    assert plan["expectations"][0]["holds"] is (int(address.rpartition(".")[2]) < 128)


def test_whose_an_address_is_is_left_to_the_plan(terminal: Terminal) -> None:
    """Nobody has written it, so nobody is known to have it before the hosts are asked."""
    terminal.write(f"{SPEC}expect:\n  - {{allow: {{from: 10.20.0.77, to: instance.web, protocol: tcp, port: 443}}}}\n")
    assert terminal.type("validate").code == 0
    (one,) = json.loads(terminal.type("plan", "--format", "json").out)["expectations"]
    assert not one["holds"]


def test_taking_everything_down_expects_nothing(terminal: Terminal) -> None:
    terminal.write(SPEC)
    assert terminal.type("apply", "-y").code == 0
    terminal.write(f"{SPEC}expect:\n  - {{deny: {{from: internet, to: group.web}}}}\n")
    assert terminal.type("destroy", "-y", "--allow-destroy").code == 0
