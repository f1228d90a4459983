"""`doctor` and `logs --denied` as they are typed, shown and described."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.cli.mend import commands, mend
from cloudsync.model.checkup import Check, Verdict
from cloudsync.model.cloud import Cloud, Host
from cloudsync.model.denial import Denial
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.resources import Direction
from cloudsync.render import denied, doctor
from cloudsync.render.doctor import Findings
from cloudsync.render.mended import mended
from tests.cli.terminal import Terminal
from tests.firewall.documents import instance
from tests.house.promised import broken

SPEC = f"""\
version: 1
cloud: demo
hosts: {{kvm-1: {{uri: 'sim:'}}}}
images: {{blank: {{source: 'https://example.org/blank.qcow2', sha256: {"ab" * 32}}}}}
networks: {{default: {{subnet: 10.20.0.0/24}}}}
flavors: {{small: {{vcpus: 1, memory: 512MiB, disk: 4GiB}}}}
security_groups: {{web: {{log_denied: true}}, quiet: {{}}}}
instances:
  web: {{image: blank, flavor: small, security_groups: [web]}}
  quiet: {{image: blank, flavor: small, security_groups: [quiet]}}
  both: {{image: blank, flavor: small, security_groups: [default, quiet]}}
  bare: {{image: blank, flavor: small, security_groups: []}}
  open: {{image: blank, flavor: small, networks: [{{name: default, port_security: false}}], security_groups: [web]}}
"""
PROBLEM = Check(
    name="other firewalls", verdict=Verdict.PROBLEM, message="Docker\x1b[2J stops it", fix=("true",), hint="keep it"
)
FINDINGS = Findings(
    "demo",
    (Check(name="spec", verdict=Verdict.OK, message="cloud.yaml"),),
    {
        "kvm-1": (
            Check(name="agent", verdict=Verdict.OK, message="it answers"),
            Check(name="clock", verdict=Verdict.WARNING, message="nothing keeps it right", hint="mend it"),
            PROBLEM,
        )
    },
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


def test_a_cloud_that_is_well(cloud: Terminal) -> None:
    shown = cloud.type("doctor")
    assert (shown.code, shown.out.splitlines()[-1]) == (0, "Nothing is wrong.")
    told = json.loads(cloud.type("doctor", "--format", "json").out)
    assert broken(told, "doctor") == []
    assert (told["cloud"], told["healthy"]) == ("demo", True)


def test_every_problem_of_the_spec_comes_first(cloud: Terminal) -> None:
    cloud.write(SPEC.replace("vcpus: 1", "vcpus: none").replace("security_groups: [quiet]", "security_groups: [qiet]"))
    shown = cloud.type("doctor", "--format", "json")
    told = json.loads(shown.out)
    assert broken(told, "doctor") == []
    assert (shown.code, told["cloud"], told["healthy"]) == (1, None, False)
    assert all(check["host"] is None and check["verdict"] == "problem" for check in told["checks"])
    lines = [check["message"].partition("cloud.yaml:")[2].partition(":")[0] for check in told["checks"]]
    assert lines == ["6", "10"]


def test_a_host_that_cannot_be_asked_is_a_problem(cloud: Terminal) -> None:
    (cloud.folder / ".cloudsync/sim").mkdir(parents=True)
    (cloud.folder / ".cloudsync/sim/kvm-1.json").write_text("{")
    shown = cloud.type("doctor")
    assert shown.code == 1
    assert "✗ simulated" in shown.out


def test_wrong_words_are_wrong_usage(cloud: Terminal) -> None:
    assert cloud.type("doctor", "--format", "yaml").code == 64
    assert cloud.type("logs", "web", "--follow").code == 64
    assert cloud.type("logs", "web", "--format", "json").code == 64


def test_findings_as_text_are_in_order_with_the_fix_and_cannot_steer_a_terminal() -> None:
    assert doctor.text(FINDINGS, colour=False) == (
        "  ✓ spec  cloud.yaml\n"
        "\n"
        "host.kvm-1\n"
        "  ✓ agent            it answers\n"
        "  ! clock            nothing keeps it right\n"
        "      hint: mend it\n"
        "  ✗ other firewalls  Docker\\x1b[2J stops it\n"
        "      run as root on host.kvm-1:\n"
        "        true\n"
        "      note: keep it\n"
        "\n"
        "1 problem, 1 warning\n"
    )
    assert "\x1b[31m✗\x1b[0m" in doctor.text(FINDINGS, colour=True)


def test_findings_as_json_have_the_promised_form() -> None:
    told = doctor.document(FINDINGS)
    assert broken(told, "doctor") == []
    assert [check["host"] for check in told["checks"]] == [None, "kvm-1", "kvm-1", "kvm-1"]
    assert told["checks"][-1]["fix"] == ["true"]


def local(folder: Path) -> Cloud:
    hosts = {"kvm-1": Host(name="kvm-1", uri="qemu:///system")}
    return Cloud(name="demo", digest="", path=str(folder / "cloud.yaml"), hosts=hosts)


def test_only_what_ends_a_problem_is_run_and_each_line_once(tmp_path: Path) -> None:
    warning = Check(name="clock", verdict=Verdict.WARNING, message="", fix=("false",))
    assert commands((PROBLEM, warning, PROBLEM)) == ("true",)
    assert mend(local(tmp_path), {"kvm-1": (warning,)}, yes=True) is False


def test_nothing_is_run_without_being_told_to(tmp_path: Path) -> None:
    made = tmp_path / "made"
    check = Check(name="x", verdict=Verdict.PROBLEM, message="", fix=(f"touch {made}",))
    with pytest.raises(CloudsyncError, match="nobody is there to ask"):
        mend(local(tmp_path), {"kvm-1": (check,)}, yes=False)
    assert not made.exists()


@pytest.mark.real
def test_exactly_the_shown_commands_are_run_and_the_first_that_fails_ends_it(tmp_path: Path) -> None:
    assert os.geteuid() == 0
    first, second = tmp_path / "a b", tmp_path / "second"
    lines = (f"touch '{first}'", "false", f"touch {second}")
    check = Check(name="x", verdict=Verdict.PROBLEM, message="", fix=lines)
    with pytest.raises(CloudsyncError, match="false: it ended with code 1") as caught:
        mend(local(tmp_path), {"kvm-1": (check,)}, yes=True)
    assert caught.value.hint == "of 3 commands 1 ended well before it, and 1 after it were not run"
    assert first.exists()
    assert not second.exists()
    assert mend(
        local(tmp_path), {"kvm-1": (Check(name="x", verdict=Verdict.PROBLEM, message="", fix=("true",)),)}, True
    )


SOUND = Check(name="other firewalls", verdict=Verdict.OK, message="nobody stops it")
BEFORE = {"kvm-1": (PROBLEM,)}


@pytest.mark.parametrize(
    ("before", "after", "ran", "told"),
    [
        (
            BEFORE,
            {"kvm-1": (SOUND,)},
            ("true",),
            ["run on this machine: 1 command", "fixed: other firewalls of host.kvm-1"],
        ),
        (
            BEFORE,
            BEFORE,
            ("true",),
            [
                "run on this machine: 1 command",
                "not fixed: other firewalls of host.kvm-1: its commands were run, and it is still so",
            ],
        ),
        (
            BEFORE,
            {"kvm-1": (replace(PROBLEM, fix=("false",)),)},
            ("true",),
            [
                "run on this machine: 1 command",
                "not fixed: other firewalls of host.kvm-1: other commands are needed now: run this again",
            ],
        ),
        (
            BEFORE,
            {"kvm-1": (replace(PROBLEM, name="agent", fix=()),)},
            ("true",),
            [
                "run on this machine: 1 command",
                "not known to be fixed: other firewalls of host.kvm-1: it cannot be looked at now",
                "not fixed: agent of host.kvm-1: no command ends it: see above",
            ],
        ),
        (
            {**BEFORE, "kvm-2": (PROBLEM,)},
            {"kvm-1": (SOUND, replace(SOUND, name="clock", verdict=Verdict.WARNING)), "kvm-2": (PROBLEM,)},
            ("true",),
            [
                "run on this machine: 1 command",
                "fixed: other firewalls of host.kvm-1",
                "not fixed: other firewalls of host.kvm-2: its commands are to be run on that machine",
                "left to you: 1 warning",
            ],
        ),
        (
            BEFORE,
            BEFORE,
            (),
            ["nothing was run", "not fixed: other firewalls of host.kvm-1: its commands were not run"],
        ),
    ],
)
def test_what_became_of_each_problem_is_told(
    before: dict[str, tuple[Check, ...]], after: dict[str, tuple[Check, ...]], ran: tuple[str, ...], told: list[str]
) -> None:
    said = mended(Findings("demo", (), before), Findings("demo", (), after), ran, {"kvm-1"})
    assert said.splitlines() == told


def test_fix_says_at_its_end_what_it_did_and_what_not(cloud: Terminal) -> None:
    well = cloud.type("doctor", "--fix", "-y")
    assert (well.code, well.err) == (0, "nothing was run\n")
    (cloud.folder / ".cloudsync/sim").mkdir(parents=True)
    (cloud.folder / ".cloudsync/sim/kvm-1.json").write_text("{")
    shown = cloud.type("doctor", "--fix", "-y", "--format", "json")
    assert broken(json.loads(shown.out), "doctor") == []
    assert shown.err == "nothing was run\nnot fixed: simulated of host.kvm-1: no command ends it: see above\n"
    assert cloud.type("doctor").err == ""


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
