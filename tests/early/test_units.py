"""What the systemd units promise: nothing of the network or of libvirt before the guard, and none of it without."""

import shlex
import subprocess
from pathlib import Path

from tests.early.units import AGENT, GUARD, settings

GUARDS, AGENTS = settings(GUARD.read_text()), settings(AGENT.read_text())


def test_the_guard_is_ahead_of_network_machines_and_agent() -> None:
    later = {"network-pre.target", "libvirtd.service", "virtqemud.service", "cloudsync-agent.service"}
    assert later <= set(GUARDS["Before"])
    assert GUARDS["DefaultDependencies"] == ["no"]
    assert GUARDS["Type"] == ["oneshot"]


def test_libvirt_does_not_start_without_it() -> None:
    assert GUARDS["RequiredBy"] == ["libvirtd.service", "virtqemud.service"]


def test_it_runs_again_when_nftables_starts_and_the_agent_when_nftables_reloads() -> None:
    """One that stays active would not be started again."""
    assert "nftables.service" in GUARDS["After"]
    assert "nftables.service" in GUARDS["WantedBy"]
    assert "RemainAfterExit" not in GUARDS
    assert AGENTS["ReloadPropagatedFrom"] == ["nftables.service"]
    assert AGENTS["ExecReload"] == ["/bin/kill", "-HUP", "$MAINPID"]


def test_the_agent_comes_after_it_and_before_machines() -> None:
    assert "cloudsync-guard.service" in AGENTS["After"]
    assert {"libvirtd.service", "virtqemud.service"} <= set(AGENTS["Before"])


def start_post(folder: Path, was_up: int, enabled: str) -> list[str]:
    """What the agent's unit has systemctl do once the agent is ready, seen by a systemctl that only writes it down."""
    line = next(line for line in AGENT.read_text().splitlines() if line.startswith("ExecStartPost=-"))
    (folder / "systemctl").write_text(
        f'#!/bin/sh\ncase "$*" in\n"is-enabled --quiet {enabled}.service") exit 0 ;;\n"is-enabled "*) exit 1 ;;\n'
        f'show*ActiveEnterTimestampMonotonic*) echo {was_up} ;;\n*) echo "$*" ;;\nesac\n'
    )
    (folder / "systemctl").chmod(0o755)
    # systemd makes one $ of two, and would take what follows a single one for a variable of its own.
    words = [word.replace("$$", "$") for word in shlex.split(line.partition("=-")[2])]
    environment = {"PATH": f"{folder}:/usr/bin:/bin"}
    return subprocess.run(words, env=environment, capture_output=True, text=True).stdout.splitlines()


def test_libvirt_that_a_failed_guard_kept_down_is_started_by_the_agent(tmp_path: Path) -> None:
    assert start_post(tmp_path, 0, "libvirtd") == ["start --no-block libvirtd.service"]
    assert start_post(tmp_path, 0, "virtqemud") == ["start --no-block virtqemud.service"]
    assert start_post(tmp_path, 0, "neither") == []
    assert start_post(tmp_path, 77, "libvirtd") == [], "a person may have stopped it"


def test_systemd_finds_nothing_wrong_with_the_units() -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(AGENT), str(GUARD)], capture_output=True, text=True
    )
    assert [line for line in done.stderr.splitlines() if "cloudsync" in line] == []
    assert all("$" not in line.replace("$$", "") for line in AGENT.read_text().splitlines() if "StartPost" in line)
