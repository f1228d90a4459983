"""`doctor` on the real thing: what stands between here and a host, each with its fix, and the fix works."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.baddays.test_bad_days import run
from tests.lab.cloud import blank_cloud, running_agent

pytestmark = pytest.mark.real


def doctor(spec: Path, *words: str) -> tuple[int, dict[str, dict[str, object]]]:
    """The exit code, and the check of each name that is worst."""
    done = run(spec, "doctor", "--format", "json", *words)
    found: dict[str, dict[str, object]] = {}
    for check in json.loads(done.stdout)["checks"]:
        if found.get(check["name"], {}).get("verdict") != "problem":
            found[check["name"]] = check
    return done.returncode, found


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return blank_cloud(tmp_path, count=1)


def test_no_agent(spec: Path) -> None:
    code, found = doctor(spec)
    assert code == 1
    assert found["libvirt"]["verdict"] == "ok"
    assert "does not answer" in str(found["agent"]["message"])
    assert "systemctl start cloudsync-agent" in str(found["agent"]["hint"])
    assert set(found) == {"spec", "libvirt", "agent"}


def test_no_libvirt(spec: Path) -> None:
    with running_agent():
        spec.write_text(spec.read_text().replace("qemu:///system", "qemu:///system?socket=/nonexistent"))
        code, found = doctor(spec)
    assert code == 1
    assert found["libvirt"]["verdict"] == "problem"
    assert found["agent"]["verdict"] == "ok"


def test_a_foreign_drop_is_named_and_mended_when_told_to(spec: Path) -> None:
    def policy(word: str) -> None:
        subprocess.run(["iptables-nft", "-P", "FORWARD", word], env=os.environ, check=True)

    try:
        with running_agent():
            assert doctor(spec)[0] == 0
            policy("DROP")
            code, found = doctor(spec)
            assert (code, found["other firewalls"]["verdict"]) == (1, "problem")
            fix = found["other firewalls"]["fix"]
            assert fix == ["iptables-nft -I FORWARD -i cs-+ -j ACCEPT", "iptables-nft -I FORWARD -o cs-+ -j ACCEPT"]
            assert "host.here: iptables stops" in run(spec, "plan").stdout
            assert "host.here: iptables stops" in run(spec, "status").stdout
            asked = run(spec, "doctor", "--fix")
            assert asked.returncode == 1
            assert "nobody is there to ask" in asked.stderr
            assert doctor(spec)[0] == 1
            mended = run(spec, "doctor", "--fix", "-y")
            assert "run on this machine: 2 commands\nfixed: other firewalls of host.here\n" in mended.stderr
            code, found = doctor(spec)
            assert (code, found["other firewalls"]["verdict"]) == (0, "ok")
            rules = subprocess.run(["iptables-nft", "-S", "FORWARD"], capture_output=True, text=True, check=True)
            assert rules.stdout.splitlines()[1:] == [
                "-A FORWARD -o cs-+ -j ACCEPT",
                "-A FORWARD -i cs-+ -j ACCEPT",
            ]
    finally:
        subprocess.run(["iptables-nft", "-F", "FORWARD"], check=True)
        policy("ACCEPT")
