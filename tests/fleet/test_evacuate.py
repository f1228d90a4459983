"""`apply --evacuate HOST`, typed: what is refused, what is shown, and what happens when the host is back."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.hosts.sim import SimHost
from cloudsync.model.resources import Power
from tests.cli.specs import APART
from tests.cli.terminal import Terminal

FREE = APART.replace("web: {image: blank, flavor: small, placement: {host: h2},", "web: {image: blank, flavor: small,")


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Terminal(tmp_path)


@pytest.fixture
def lost(terminal: Terminal) -> Terminal:
    """web is on h2, which is off; nothing says that it must be there."""
    terminal.write(APART)
    assert terminal.type("apply", "-y").code == 0
    terminal.write(FREE)
    unplug(terminal, "its plug is pulled")
    return terminal


def h2(terminal: Terminal) -> SimHost:
    return SimHost("h2", "sim:", terminal.folder, "demo")


def unplug(terminal: Terminal, why: str) -> None:
    host = h2(terminal)
    host.state = replace(host.state, down=why)


def test_it_is_left_alone_until_the_person_says_otherwise(lost: Terminal) -> None:
    plan = lost.type("plan")
    assert "h2 ✗ unreachable: 1 instance there is left alone" in plan.out
    assert "Nothing to do." in plan.out
    assert lost.type("apply", "-y").code == 0


def test_the_plan_names_the_data_that_is_lost(lost: Terminal) -> None:
    plan = lost.type("plan", "--evacuate", "h2")
    (line,) = [line for line in plan.out.splitlines() if "instance.web" in line]
    assert line.split()[:5] == ["-/+", "instance.web", "host", "h2", "→"]
    assert "destroys its disk" in line
    assert "host.h2 is given up" in line
    refused = lost.type("apply", "-y", "--evacuate", "h2")
    assert refused.code == 1
    assert "this plan destroys data: instance.web" in refused.err


def test_only_a_host_that_is_silent_is_given_up(lost: Terminal) -> None:
    assert "host.h1 answers" in lost.type("plan", "--evacuate", "h1").err
    assert "there is no host.h9" in lost.type("plan", "--evacuate", "h9").err
    assert lost.type("apply", "-y", "--evacuate", "h1").code == 1
    with SimHost("h1", "sim:", lost.folder, "demo").lock("bob@desk"):
        assert "there is no host.h9" in lost.type("apply", "-y", "--evacuate", "h9").err


def test_what_is_protected_waits_for_its_host(lost: Terminal) -> None:
    lost.write(FREE.replace("web: {", "web: {protect: true, "))
    refused = lost.type("apply", "-y", "--allow-destroy", "--evacuate", "h2")
    assert refused.code == 1
    assert "instance.web is protected" in refused.err


def test_a_host_that_left_the_spec_can_be_given_up(lost: Terminal) -> None:
    lost.write(FREE.replace("  h2: {uri: 'sim:'}\n", ""))
    assert "give it up: --evacuate h2" in lost.type("plan").out
    assert lost.type("apply", "-y", "--allow-destroy", "--evacuate", "h2").code == 0
    assert "Nothing to do." in lost.type("plan").out


def test_what_leaves_the_spec_with_its_host_is_not_forgotten(lost: Terminal) -> None:
    """It still runs there: its name and addresses are held until somebody gives it up, or the host is back."""
    lines = [line for line in FREE.splitlines(keepends=True) if not line.startswith(("  h2:", "  web:"))]
    lost.write("".join(lines))
    left = lost.type("apply", "-y")
    assert left.code == 0, left.err
    assert "host.h2 is not in the spec any more, and was not emptied: web is still there" in left.out
    assert "--evacuate h2" in left.out
    status = json.loads(lost.type("status", "--format", "json").out)
    assert [row["state"] for row in status["instances"] if row["name"] == "web"] == ["unknown"]
    lost.write(FREE.replace("  h2: {uri: 'sim:'}\n", ""))
    again = lost.type("apply", "-y")
    assert again.code == 1
    assert "give it up: --evacuate h2" in again.out
    lost.write("".join(lines))
    gone = lost.type("apply", "-y", "--allow-destroy", "--evacuate", "h2")
    assert gone.code == 0, gone.err
    assert "not emptied" not in lost.type("plan").out


def test_a_saved_plan_gives_up_what_it_says(lost: Terminal) -> None:
    file = str(lost.folder / "saved.plan")
    assert lost.type("plan", "--evacuate", "h2", "--out", file).code == 0
    assert lost.type("apply", file, "--evacuate", "h2").code == 64
    applied = lost.type("apply", "-y", "--allow-destroy", file)
    assert applied.code == 0, applied.err
    unplug(lost, "")
    assert lost.type("apply", "-y", "--allow-destroy", file).code in (1, 3)


def test_it_comes_back(lost: Terminal) -> None:
    """Its copy is stopped at once, and stays until it is removed by name."""
    applied = lost.type("apply", "-y", "--allow-destroy", "--evacuate", "h2")
    assert applied.code == 0, applied.err
    unplug(lost, "")
    status = json.loads(lost.type("status", "--format", "json").out)
    both = {row["host"]: row for row in status["instances"] if row["name"] == "web"}
    assert both["h1"]["addresses"] == ["10.20.0.11"]
    assert both["h2"]["problems"] == [
        "a copy that was given up while its host could not be asked; the next apply stops it"
    ]
    assert "this machine is simulated" in lost.type("logs", "web").out
    plan = lost.type("plan").out
    assert "the copy that was given up is stopped" in plan
    refused = lost.type("apply", "-y", "--max-disruption", "live")
    assert (refused.code, "instance.web (restart)" in refused.err) == (1, True)
    stopped = lost.type("apply", "-y", "--max-disruption", "restart")
    assert (stopped.code, "bug in cloudsync" in stopped.err) == (0, False)
    (copy,) = h2(lost).state.machines.values()
    assert (copy.power, copy.autostart) == (Power.STOPPED, False)
    quiet = lost.type("plan").out
    assert "Nothing to do." in quiet
    assert "cloudsync apply --evacuate h2 --allow-destroy" in quiet
    assert lost.type("apply", "-y", "--evacuate", "h2").code == 1
    assert lost.type("apply", "-y", "--allow-destroy", "--evacuate", "h2").code == 0
    assert (h2(lost).state.machines, h2(lost).state.disks) == ({}, {})
    last = lost.type("plan").out
    assert "Nothing to do." in last
    assert "given up" not in last


def test_destroy_takes_the_copies_along(lost: Terminal) -> None:
    assert lost.type("apply", "-y", "--allow-destroy", "--evacuate", "h2").code == 0
    unplug(lost, "")
    done = lost.type("destroy", "-y", "--allow-destroy")
    assert done.code == 0, done.err
    assert (h2(lost).state.machines, h2(lost).state.disks) == ({}, {})


def test_a_second_destroy_brings_no_host_back(lost: Terminal) -> None:
    """The first emptied h1, and could not ask h2."""
    assert lost.type("destroy", "-y", "--allow-destroy").code == 0
    unplug(lost, "")
    again = lost.type("destroy", "-y", "--allow-destroy")
    assert again.code == 0, again.err
    assert "host.h1" not in again.out
    assert "joins" not in again.out
    assert (h2(lost).state.machines, h2(lost).state.disks) == ({}, {})
    assert "Nothing to do." in lost.type("destroy", "-y").out
