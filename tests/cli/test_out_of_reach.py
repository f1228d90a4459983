"""A host that does not answer: what lives on it is unknown, never gone."""

import json

import pytest

from tests.cli.specs import APART
from tests.cli.terminal import Terminal


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    """h2, which has web, cannot be read."""
    terminal.write(APART)
    applied = terminal.type("apply", "-y")
    assert applied.code == 0, applied.err
    (terminal.folder / ".cloudsync/sim/h2.json").write_text("{")
    return terminal


@pytest.mark.parametrize("command", ["ssh", "logs"])
def test_an_instance_out_of_reach_is_told_from_one_that_is_not_there(cloud: Terminal, command: str) -> None:
    away = cloud.type(command, "web")
    assert away.code == 1
    assert "web is on h2, which is unreachable: " in away.err
    nobody = cloud.type(command, "nobody")
    assert "no host that answers knows" in nobody.err
    assert "h2, which is unreachable" in nobody.err
    assert "there are: db, web" in nobody.err


def test_whether_it_is_reached_is_unknown(cloud: Terminal) -> None:
    asked = cloud.type("reach", "web", "db", "tcp/80", "--live")
    assert asked.code == 5
    assert "depends" in asked.out
    assert "unknown: instance.web is on host.h2, which is unreachable" in asked.out


def test_status_shows_it_as_unknown(cloud: Terminal) -> None:
    status = json.loads(cloud.type("status", "--format", "json").out)
    web = next(row for row in status["instances"] if row["name"] == "web")
    assert (web["host"], web["state"], web["addresses"]) == ("h2", "unknown", ["10.20.0.11"])
    assert "h2, which is unreachable" in web["problems"][0]
    assert [host["capacity"] is None for host in status["hosts"]] == [False, True]
    line = next(line for line in cloud.type("status").out.splitlines() if line.startswith("web "))
    assert line.split()[1:4] == ["unknown", "h2", "10.20.0.11"]
    (one,) = json.loads(cloud.type("status", "web", "--format", "json").out)["instances"]
    assert one["state"] == "unknown"


def test_how_many_a_silent_host_has_is_what_the_others_recorded(cloud: Terminal) -> None:
    """Its room is unknown. Where no host has a record, so is their number."""
    assert [row["instances"] for row in json.loads(cloud.type("host", "list", "--format", "json").out)["hosts"]] == [
        1,
        1,
    ]
    lines = cloud.type("host", "list").out.splitlines()
    assert lines[2].split()[:4] == ["h2", "unreachable", "1", "?"]
    (cloud.folder / ".cloudsync/sim/h1.json").unlink()
    assert cloud.type("host", "list").out.splitlines()[2].split()[:4] == ["h2", "unreachable", "?", "?"]


def test_a_silent_host_that_has_nothing_is_said_nothing_more_of(cloud: Terminal) -> None:
    assert "1 instance there is left alone" in cloud.type("plan").out
    cloud.write(APART.replace("hosts:\n", "hosts:\n  h3: {uri: 'sim:'}\n"))
    (cloud.folder / ".cloudsync/sim/h3.json").write_text("{")
    plan = cloud.type("plan").out
    assert "warning: host.h3 is unreachable" in plan
    assert "0 instances" not in plan


def test_a_host_that_the_spec_no_longer_names_is_not_forgotten(cloud: Terminal) -> None:
    (cloud.folder / ".cloudsync/sim/h2.json").unlink()
    cloud.write(APART.replace("  h2: {uri: 'sim:'}\n", "").replace("h2", "h1"))
    assert "web is on h2, which is not in the spec" in cloud.type("ssh", "web").err


def test_one_that_is_nowhere_is_not_there(terminal: Terminal) -> None:
    terminal.write(APART)
    assert 'there is no instance "web"' in terminal.type("ssh", "web").err
