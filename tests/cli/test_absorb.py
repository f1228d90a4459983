"""`plan --absorb` as a typed command: simulated hosts on which somebody changed machines, snapshots for their rules."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudsync.cli.store import load_snapshot, save_snapshot
from cloudsync.model.resources import Direction, Rule
from cloudsync.model.snapshot import Drift
from tests.cli.specs import PAIR
from tests.cli.terminal import Terminal, Typed
from tests.spec.test_git import git

SPEC = PAIR.replace(
    "keypairs:",
    """\
  odd: {vcpus: 2, memory: 512MiB, disk: 4GiB}
security_groups:
  # who may come
  web:
    ingress:
      - {protocol: tcp, ports: [80, 443], from: any}   # the site
      - {protocol: tcp, ports: 22, from: 192.0.2.0/24}
keypairs:""",
)
WEB = """\
  web:
    image: blank
    flavor: small   # for now
    security_groups: [default, web]
    placement: {host: h1}
"""
KEPT = {"traces": {"definition": ["vcpus: 2 instead of 1"], "vcpus": 2}}
"""Somebody set it with `virsh setvcpus 2 --config`."""
MANY = "  many: {count: 2, image: blank, flavor: small, placement: {host: h2}}\n"


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    """Applied; in a folder of its repository."""
    git(terminal.folder, "init", "-q", "-b", "main")
    terminal.write(SPEC + WEB + MANY)
    assert terminal.type("apply", "-y").code == 0
    return terminal


def turn(cloud: Terminal, host: str, *names: str, **values: Any) -> None:
    """What somebody does by hand to machines."""
    path = Path(cloud.folder, f".cloudsync/sim/{host}.json")
    state = json.loads(path.read_text())
    for machine in state["machines"].values():
        if machine["name"] in names:
            machine.update(values)
    path.write_text(json.dumps(state))


def absorbed(cloud: Terminal, *words: str) -> Typed:
    """The diff it prints leads from what was there to what is there."""
    before = cloud.spec.read_text()
    typed = cloud.type("plan", "--absorb", *words)
    assert typed.code == 0, typed.err
    after = cloud.spec.read_text()
    assert (typed.out == "") == (before == after)
    cloud.write(before)
    if typed.out:
        subprocess.run(["git", "-C", str(cloud.folder), "apply", "-"], input=typed.out, text=True, check=True)
    assert cloud.spec.read_text() == after
    return typed


def test_nothing_drifted(cloud: Terminal) -> None:
    typed = absorbed(cloud)
    assert (typed.out, typed.err) == ("", "nothing drifted\n")


def test_a_size_that_another_flavor_has(cloud: Terminal) -> None:
    turn(cloud, "h1", "web", vcpus=2)
    typed = absorbed(cloud)
    assert "-    flavor: small   # for now\n+    flavor: odd   # for now\n" in typed.out
    assert "absorbed: instance.web: 2 vcpus, 512 MiB" in typed.err
    plan = cloud.type("plan")
    assert "Drift" not in plan.out
    assert "no disruption" in plan.out
    assert cloud.type("apply", "-y", "--max-disruption", "live").code == 0
    assert cloud.type("plan", "--detailed-exitcode").code == 0


def test_a_size_that_no_flavor_has(cloud: Terminal) -> None:
    turn(cloud, "h1", "web", vcpus=3, memory=1 << 30)
    typed = absorbed(cloud)
    assert "+  small-3x1GiB: {vcpus: 3, memory: 1GiB, disk: 4GiB}\n" in typed.out
    assert "+    flavor: small-3x1GiB   # for now\n" in typed.out
    assert cloud.type("apply", "-y", "--max-disruption", "live").code == 0
    assert cloud.type("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("power", ["running", "stopped"])
def test_a_size_for_its_next_start(cloud: Terminal, power: str) -> None:
    """As libvirt tells it of what runs, and of what is off."""
    turn(cloud, "h1", "web", **(KEPT if power == "running" else {"vcpus": 2, "power": "stopped"}))
    assert "vcpus: 2" in cloud.type("plan").out
    typed = absorbed(cloud)
    assert "-    flavor: small   # for now\n+    flavor: odd   # for now\n" in typed.out
    assert "the next apply has nothing to restore\n" in typed.err
    plan = cloud.type("plan")
    assert "Drift" not in plan.out
    assert cloud.type("apply", "-y", "--max-disruption", "live").code == 0
    assert cloud.type("plan", "--detailed-exitcode").code == 0


def test_a_size_that_takes_a_restart_is_left_and_the_reason_is_the_true_one(cloud: Terminal) -> None:
    turn(cloud, "h1", "web", **KEPT, max_vcpus=1)
    typed = absorbed(cloud)
    assert typed.out == ""
    assert "vcpus: 2 instead of 1: it would disturb the guest to have it in the spec" in typed.err


def test_a_power_state(cloud: Terminal) -> None:
    turn(cloud, "h1", "web", power="stopped")
    typed = absorbed(cloud)
    assert "     flavor: small   # for now\n+    state: stopped\n" in typed.out
    assert "Drift" not in cloud.type("plan").out
    assert cloud.type("apply", "-y").code == 0
    turn(cloud, "h1", "web", power="running")
    assert "-    state: stopped\n+    state: running\n" in absorbed(cloud).out


def test_all_of_a_counted_instance_or_none(cloud: Terminal) -> None:
    turn(cloud, "h2", "many-1", vcpus=2)
    typed = absorbed(cloud)
    assert typed.out == ""
    assert "left: instance.many-1  h2: vcpus: 2, should be 1: the members of many are not alike" in typed.err
    assert cloud.type("plan", "--absorb", "--detailed-exitcode").code == 2
    turn(cloud, "h2", "many-2", vcpus=2)
    assert "+  many: {count: 2, image: blank, flavor: odd, placement: {host: h2}}\n" in absorbed(cloud).out
    assert "Drift" not in cloud.type("plan").out


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"power": "paused"}, "the spec has no word for paused"),
        ({"memory": (513 << 20) + 512}, "the spec has no exact words for it"),
        ({"autostart": False}, "the spec has no word for it"),
    ],
)
def test_what_has_no_words_is_listed(cloud: Terminal, values: dict[str, Any], why: str) -> None:
    turn(cloud, "h1", "web", **values)
    typed = absorbed(cloud)
    assert typed.out == ""
    assert "left: instance.web  h1: " in typed.err
    assert why in typed.err


def test_what_can_be_said_is_said_and_the_rest_left(cloud: Terminal) -> None:
    turn(cloud, "h1", "web", vcpus=2, power="crashed")
    typed = absorbed(cloud)
    assert "+    flavor: odd" in typed.out
    assert "left: instance.web  h1: it is crashed, should be running: the spec has no word for crashed" in typed.err
    assert "the next apply sets back what is left above and can be" in typed.err


def test_a_spec_that_has_gone_on_is_not_overruled(cloud: Terminal) -> None:
    turn(cloud, "h1", "web", vcpus=2)
    cloud.write((SPEC + WEB + MANY).replace("small: {vcpus: 1", "small: {vcpus: 4"))
    typed = absorbed(cloud)
    assert typed.out == ""
    assert "the spec gives it another size too" in typed.err


def test_an_anchor_is_refused_with_its_place(cloud: Terminal) -> None:
    shared = SPEC + "  web: &both {image: blank, flavor: small, placement: {host: h1}}\n  twin: *both\n"
    cloud.write(shared)
    assert cloud.type("apply", "-y", "--allow-destroy", "--allow-mass-delete").code == 0
    turn(cloud, "h1", "web", vcpus=2)
    typed = absorbed(cloud)
    assert typed.out == ""
    line = next(number for number, text in enumerate(shared.splitlines(), 1) if "&both" in text)
    assert f"flavor: odd cannot be written here ({cloud.spec}:{line}:" in typed.err


def test_no_copy_is_left_beside_the_spec(cloud: Terminal) -> None:
    turn(cloud, "h1", "web", vcpus=2)
    absorbed(cloud)
    assert [path.name for path in cloud.folder.iterdir() if "yaml" in path.name] == ["cloud.yaml"]


def rule(first: int, last: int, remote: str = "any") -> Rule:
    return Rule(direction=Direction.INGRESS, protocol="tcp", ports=(first, last), remote=remote)


def by_hand(cloud: Terminal, added: Sequence[Rule] = (), removed: Sequence[Rule] = ()) -> str:
    """A snapshot in which the agent of h1 says that."""
    saved = cloud.folder / "live.json"
    cloud.type("status", "--save", str(saved))
    snapshot = load_snapshot(saved)
    told = [Drift(address="group.web", host="h1", message=f"{one} is not ours", added=one) for one in added]
    told += [Drift(address="group.web", host="h1", message=f"{one} is missing", removed=one) for one in removed]
    h1 = replace(snapshot.hosts["h1"], drift=tuple(told))
    save_snapshot(replace(snapshot, hosts={**snapshot.hosts, "h1": h1}), saved)
    return str(saved)


def test_a_rule_that_was_added(cloud: Terminal) -> None:
    saved = by_hand(cloud, added=[rule(8443, 8443)])
    typed = absorbed(cloud, "--snapshot", saved)
    assert "+      - {protocol: tcp, ports: 8443, from: any}\n" in typed.out
    plan = cloud.type("plan", "--snapshot", saved).out
    assert "Drift" not in plan
    assert "group.web  + tcp/8443 from any" in plan


def test_one_that_joins_another_is_the_same_to_the_spec(cloud: Terminal) -> None:
    saved = by_hand(cloud, added=[rule(444, 450)])
    assert "from: any}" in absorbed(cloud, "--snapshot", saved).out
    assert "Drift" not in cloud.type("plan", "--snapshot", saved).out


def test_a_rule_that_was_taken_away(cloud: Terminal) -> None:
    saved = by_hand(cloud, removed=[rule(22, 22, "192.0.2.0/24")])
    assert "-      - {protocol: tcp, ports: 22, from: 192.0.2.0/24}\n" in absorbed(cloud, "--snapshot", saved).out
    assert "Drift" not in cloud.type("plan", "--snapshot", saved).out


def test_half_of_an_entry_is_left(cloud: Terminal) -> None:
    saved = by_hand(cloud, removed=[rule(80, 80)])
    typed = absorbed(cloud, "--snapshot", saved)
    assert typed.out == ""
    assert "left: group.web  h1: " in typed.err
    both = by_hand(cloud, removed=[rule(80, 80), rule(443, 443)])
    assert (
        "-      - {protocol: tcp, ports: [80, 443], from: any}   # the site\n"
        in absorbed(cloud, "--snapshot", both).out
    )


def test_an_implied_rule_is_left(cloud: Terminal) -> None:
    everything = Rule(direction=Direction.EGRESS)
    typed = absorbed(cloud, "--snapshot", by_hand(cloud, removed=[everything]))
    assert (typed.out, "no exact words" in typed.err) == ("", True)


@pytest.mark.parametrize("words", [("--out", "x"), ("--format", "json"), ("--replace", "web"), ("--evacuate", "h1")])
def test_it_goes_with_little_else(cloud: Terminal, words: tuple[str, str]) -> None:
    assert cloud.type("plan", "--absorb", *words).code == 64
