"""`start`, `stop`, `reboot` and `console` on simulated hosts: what they say and the codes they end with."""

import json
from dataclasses import replace

import pytest

from cloudsync.hosts.sim import SimHost
from tests.cli.specs import APART
from tests.cli.terminal import Terminal


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    terminal.write(APART)
    assert terminal.type("apply", "-y").code == 0
    return terminal


def states(cloud: Terminal) -> dict[str, str]:
    rows = json.loads(cloud.type("status", "--format", "json").out)["instances"]
    return {row["name"]: row["state"] for row in rows}


def test_what_is_stopped_by_hand_is_told_by_the_plan_and_started_by_the_next_apply(cloud: Terminal) -> None:
    stopped = cloud.type("stop", "web")
    assert (stopped.code, stopped.out) == (0, "")
    assert "the spec says `state: running`: the next apply sees to that" in stopped.err
    assert states(cloud) == {"db": "running", "web": "stopped"}
    assert "it is stopped, should be running" in cloud.type("plan").out
    assert "web is off already" in cloud.type("stop", "instance.web").err
    assert cloud.type("apply", "-y").code == 0
    assert states(cloud)["web"] == "running"


def test_started_and_rebooted_by_hand_is_as_the_spec_has_it(cloud: Terminal) -> None:
    assert cloud.type("stop", "web", "--force").code == 0
    started = cloud.type("start", "web")
    assert (started.code, "the spec says" in started.err) == (0, False)
    assert "web runs already" in cloud.type("start", "web").err
    assert cloud.type("reboot", "web").code == 0
    assert cloud.type("plan", "--detailed-exitcode").code == 0


def test_nothing_is_switched_in_the_middle_of_an_apply(cloud: Terminal) -> None:
    with SimHost("h2", "sim:", cloud.folder).lock("bob@laptop"):
        refused = cloud.type("stop", "web")
    assert (refused.code, "bob@laptop" in refused.err) == (4, True)
    assert states(cloud)["web"] == "running"


@pytest.mark.parametrize("command", ["start", "stop", "reboot", "console"])
def test_who_is_not_there_is_named_beside_those_who_are(cloud: Terminal, command: str) -> None:
    refused = cloud.type(command, "wbe")
    assert (refused.code, "there are: db, web" in refused.err) == (1, True)


def test_a_simulated_machine_has_no_console(cloud: Terminal) -> None:
    refused = cloud.type("console", "web")
    assert (refused.code, "simulated" in refused.err) == (1, True)


def test_a_cloud_with_something_paused_is_not_destroyed_and_the_error_says_so(cloud: Terminal) -> None:
    cloud.write(APART.replace("db: {", "db: {paused: true, "))
    refused = cloud.type("destroy", "-y", "--allow-destroy")
    assert refused.code == 1
    assert "error: instance.db: nothing is destroyed while that is paused\n" in refused.err
    assert states(cloud) == {"db": "running", "web": "running"}


def lose(cloud: Terminal) -> None:
    """The disks of what is on h2 vanish."""
    host = SimHost("h2", "sim:", cloud.folder)
    host.state = replace(host.state, disks={})


@pytest.mark.parametrize("command", ["start", "reboot"])
def test_one_without_its_root_disk_is_not_started_and_the_way_out_is_the_plans(cloud: Terminal, command: str) -> None:
    if command == "start":
        assert cloud.type("stop", "web").code == 0
    lose(cloud)
    before = states(cloud)
    refused = cloud.type(command, "web")
    assert refused.code == 1
    assert "web: its root disk is gone from h2" in refused.err
    assert "apply --replace instance.web" in refused.err
    assert states(cloud) == before
    assert "apply --replace instance.web" in cloud.type("plan").out
