"""Facts about a host into checks: every thing that can be wrong is named, with its fix."""

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.agent.checkup import programs
from cloudsync.agent.checkup.facts import Facts
from cloudsync.agent.checkup.judge import checks
from cloudsync.agent.kvm import SHUT
from cloudsync.agent.neighbours.lookout import Sight
from cloudsync.model.checkup import Check, Verdict
from cloudsync.model.obstacle import Obstacle
from cloudsync.model.snapshot import Drift
from tests.firewall.documents import document, instance

GIB = 1 << 30
OK, WARNING, PROBLEM = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM
FORWARD, MARKED = "net/ipv4/ip_forward", "net/ipv4/conf/all/src_valid_mark"
WELL = Facts(
    document=document([instance("web", "10.20.0.13")]),
    settings={FORWARD: 1, MARKED: 1, "net/ipv4/conf/all/rp_filter": 2, "net/ipv4/conf/eth0/rp_filter": 0},
    programs={"nft": "1.0.6", "dnsmasq": "2.90", "conntrack": "1.4.7"},
    kvm=(True, "/dev/kvm opens"),
    pool="/var/lib/cloudsync/pool",
    pool_free=50 * GIB,
    pool_size=100 * GIB,
    synchronized=True,
)
OBSTACLE = Obstacle(
    owner="Docker",
    traffic=("instances → outside",),
    where=("table ip filter, chain FORWARD: its policy drops",),
    fix=("iptables-nft -I DOCKER-USER -i cs-+ -j ACCEPT",),
    note="not for ever",
)


def wrong(facts: Facts) -> list[Check]:
    return [check for check in checks(facts) if check.verdict is not OK]


def test_a_host_that_is_well_says_so_of_everything() -> None:
    assert wrong(WELL) == []
    names = [check.name for check in checks(WELL)]
    assert names == [
        *("nft", "dnsmasq", "conntrack", "rules", "forwarding", "rp_filter"),
        *("other firewalls", "nftables.service", "kvm", "pool", "clock"),
    ]


def test_a_host_that_has_nothing_yet_is_not_unwell() -> None:
    assert wrong(replace(WELL, document=None, settings={FORWARD: 0, MARKED: 0, "net/ipv4/conf/all/rp_filter": 2})) == []


@pytest.mark.parametrize(
    ("facts", "name", "verdict", "word", "fix"),
    [
        (replace(WELL, programs={**WELL.programs, "nft": "1.0.4"}), "nft", PROBLEM, "1.0.6", "nftables"),
        (replace(WELL, programs={"nft": "1.1", "dnsmasq": "2.90"}), "conntrack", PROBLEM, "not there", "conntrack"),
        (replace(WELL, settings={**WELL.settings, FORWARD: 0}), "forwarding", PROBLEM, "off", "ip_forward=1"),
        (replace(WELL, settings={**WELL.settings, MARKED: 0}), "rp_filter", PROBLEM, "(all)", "src_valid_mark=1"),
        (replace(WELL, sight=Sight((OBSTACLE,))), "other firewalls", PROBLEM, "Docker stops", "DOCKER-USER"),
        (replace(WELL, sight=Sight((), ("legacy",))), "other firewalls", WARNING, "legacy", ""),
        (replace(WELL, flushes=True), "nftables.service", WARNING, "removes all rules", ""),
        (replace(WELL, kvm=(False, "no vmx")), "kvm", WARNING, "no vmx", ""),
        (replace(WELL, kvm=(False, SHUT)), "kvm", PROBLEM, "QEMU's user", "chgrp kvm /dev/kvm"),
        (replace(WELL, pool_free=9 * GIB), "pool", WARNING, "9 GiB of 100 GiB", ""),
        (replace(WELL, pool_free=GIB), "pool", PROBLEM, "1 GiB of 100 GiB", ""),
        (replace(WELL, synchronized=False), "clock", WARNING, "nothing keeps it right", "timesyncd"),
        (replace(WELL, denials="taken"), "log_denied", PROBLEM, "taken", ""),
    ],
)
def test_each_thing_that_is_wrong_is_named_with_its_fix(
    facts: Facts, name: str, verdict: Verdict, word: str, fix: str
) -> None:
    (check,) = wrong(facts)
    assert (check.name, check.verdict) == (name, verdict)
    assert word in check.message
    assert fix in " ".join(check.fix)
    assert bool(check.fix) is bool(fix)


def test_newer_programs_do_whatever_their_version_looks_like() -> None:
    assert wrong(replace(WELL, programs={**WELL.programs, "nft": "1.1"})) == []


def test_drift_says_what_ends_it() -> None:
    (check,) = wrong(replace(WELL, drift=(Drift(address="group.web", host="kvm-1", message="a rule is missing"),)))
    assert (check.name, check.message) == ("rules", "group.web: a rule is missing")
    assert check.hint == "will be restored: cloudsync apply"


def test_firewalls_that_are_on_and_let_instances_through_are_mentioned() -> None:
    (check,) = [one for one in checks(replace(WELL, active=("firewalld", "ufw"))) if one.name == "other firewalls"]
    assert (check.verdict, check.message) == (OK, "firewalld and ufw: on, and in nobody's way")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("nftables v1.0.6 (Lester Gooch #5)", "1.0.6"),
        ("Dnsmasq version 2.90  Copyright (c) 2000-2024 Simon Kelley", "2.90"),
        ("conntrack v1.4.7 (conntrack-tools)", "1.4.7"),
        ("", ""),
        ("no version here", ""),
    ],
)
def test_versions_as_the_programs_print_them(text: str, version: str) -> None:
    assert programs.version(text) == version


def test_a_program_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert programs.output(str(tmp_path / "nothing"), "--version") == ""


@pytest.mark.parametrize(
    ("config", "lacking"),
    [
        ("", ["ManageForeignRoutingPolicyRules", "ManageForeignRoutes"]),
        ("[Network]\n#ManageForeignRoutes=no\nManageForeignRoutingPolicyRules = off\n", ["ManageForeignRoutes"]),
        (
            "ManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\nManageForeignRoutes=yes",
            ["ManageForeignRoutes"],
        ),
        ("[Network]\nManageForeignRoutes=yes\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=false\n", []),
    ],
)
def test_networkd_must_leave_rules_and_routes_of_others_alone(config: str, lacking: list[str]) -> None:
    found = wrong(replace(WELL, networkd=config))
    assert [check.name for check in found] == ["systemd-networkd"] * bool(lacking)
    for check in found:
        assert check.message.endswith(f"it has no {' and no '.join(lacking)}=no")


def test_the_fix_for_networkd_is_what_it_reads(tmp_path: Path) -> None:
    """Run as `doctor --fix` runs it, without a shell of its own, in a folder of the test's."""
    (check,) = wrong(replace(WELL, networkd=""))
    for line in check.fix[:2]:
        subprocess.run(shlex.split(line.replace("/etc/systemd", str(tmp_path))), check=True)
    assert check.fix[2] == "systemctl restart systemd-networkd"
    (written,) = (tmp_path / "networkd.conf.d").iterdir()
    assert written.read_text().startswith("[Network]\n")
    assert wrong(replace(WELL, networkd=written.read_text())) == []
