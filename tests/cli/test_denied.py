"""`logs --denied` as it is typed, shown and described."""

import json

import pytest

from cloudsync.model.cloud import Cloud
from cloudsync.model.denial import Denial
from cloudsync.model.resources import Direction
from cloudsync.render import denied
from tests.cli.specs import ONE
from tests.cli.terminal import Terminal
from tests.firewall.documents import instance
from tests.house.promised import broken

SPEC = (
    ONE
    + """\
security_groups: {web: {log_denied: true}, quiet: {}}
instances:
  web: {image: blank, flavor: small, security_groups: [web]}
  quiet: {image: blank, flavor: small, security_groups: [quiet]}
  both: {image: blank, flavor: small, security_groups: [default, quiet]}
  bare: {image: blank, flavor: small, security_groups: []}
  open: {image: blank, flavor: small, networks: [{name: default, port_security: false}], security_groups: [web]}
"""
)
DENIAL = Denial(
    side=Direction.INGRESS,
    protocol="tcp",
    source="192.0.2.1",
    target="10.20.0.13",
    source_port=40001,
    target_port=81,
    count=3,
    first="2026-01-01T00:00:00.000Z",
    last="2026-01-01T00:00:09.000Z",
    groups=("web",),
)
PING = Denial(side=Direction.EGRESS, protocol="icmp", source="10.20.0.13", target="192.0.2.1", icmp=(8, 0), last="now")


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    terminal.write(SPEC)
    return terminal


def test_denied_packets_of_a_simulated_host(cloud: Terminal) -> None:
    assert cloud.type("apply", "-y").code == 0
    shown = cloud.type("logs", "web", "--denied", "--format", "json")
    assert broken(json.loads(shown.out), "denied") == []
    assert "has been denied" in cloud.type("logs", "instance.web", "--denied").out


QUIET_LINE = 1 + next(at for at, text in enumerate(SPEC.splitlines()) if "quiet: {}" in text)


@pytest.mark.parametrize("more", [(), ("--follow",), ("--format", "json")])
@pytest.mark.parametrize(
    ("name", "wrong", "remedy"),
    [
        (
            "quiet",
            "group.quiet does not have denied packets logged",
            "write  log_denied: true  into group.quiet (SPEC:LINE), and apply",
        ),
        (
            "both",
            "none of group.default, group.quiet has denied packets logged",
            "write  log_denied: true  into group.quiet (SPEC:LINE), and apply",
        ),
        (
            "bare",
            "instance.bare is in no group: all that it sends and is sent is denied, and nothing of that is logged",
            "write  shut: {ingress: [], egress: [], log_denied: true}  into security_groups, then  "
            "security_groups: [shut]  into instance.bare, and apply",
        ),
        (
            "open",
            "no card of instance.open is filtered (port_security: false): its groups deny nothing",
            "remove  port_security: false  from a card, and apply",
        ),
    ],
)
def test_where_nothing_denied_is_logged_what_is_wrong_and_the_line_to_write_are_said(
    cloud: Terminal, name: str, wrong: str, remedy: str, more: tuple[str, ...]
) -> None:
    assert cloud.type("apply", "-y").code == 0
    typed = cloud.type("logs", name, "--denied", *more)
    assert (typed.code, typed.out) == (1, "")
    assert wrong in typed.err
    assert remedy.replace("SPEC", str(cloud.spec)).replace("LINE", str(QUIET_LINE)) in typed.err


def test_the_implied_group_is_written_where_it_is_missing(cloud: Terminal) -> None:
    cloud.write(SPEC.replace("security_groups: [quiet]", "security_groups: [default]"))
    assert cloud.type("apply", "-y").code == 0
    said = cloud.type("logs", "quiet", "--denied").err
    assert "write  default: {log_denied: true}  into security_groups, and apply" in said
    cloud.write(cloud.spec.read_text().replace("quiet: {}", "quiet: {}, default: {log_denied: true}"))
    assert cloud.type("apply", "-y").code == 0
    assert cloud.type("logs", "quiet", "--denied").code == 0


def test_what_the_spec_has_logged_already_is_to_be_applied(cloud: Terminal) -> None:
    assert cloud.type("apply", "-y").code == 0
    cloud.write(SPEC.replace("quiet: {}", "quiet: {log_denied: true}"))
    typed = cloud.type("logs", "quiet", "--denied")
    assert typed.code == 1
    assert "the spec has what is denied instance.quiet logged, and host.kvm-1 is not told of that yet" in typed.err
    assert f"cloudsync -f {cloud.spec} apply" in typed.err


def test_turning_the_log_on_is_a_change_that_is_shown(cloud: Terminal) -> None:
    cloud.type("apply", "-y")
    cloud.write(SPEC.replace("quiet: {}", "quiet: {log_denied: true}"))
    assert "log_denied false → true" in cloud.type("plan").out


def test_denials_as_text() -> None:
    web = instance("web", "10.20.0.13", ("web",))
    head, first, second = denied.text(web, (DENIAL, PING)).splitlines()
    assert head.split() == ["LAST", "TIMES", "SIDE", "PACKET", "DENIED", "BY"]
    assert "3      ingress  tcp 192.0.2.1:40001 → 10.20.0.13:81" in first
    assert first.endswith("no rule from there in group.web")
    assert "icmp 10.20.0.13 → 192.0.2.1 type 8 code 0" in second
    assert denied.line(PING).startswith("now  1  egress  icmp")


def test_denials_as_json_have_the_promised_form() -> None:
    web = instance("web", "10.20.0.13", ("web",))
    told = denied.document(Cloud(name="demo", digest="", path=""), web, (DENIAL, PING))
    assert broken(told, "denied") == []
    assert told["denied"][0]["to"] == {"address": "10.20.0.13", "port": 81}
    assert told["denied"][1]["icmp"] == {"type": 8, "code": 0}
