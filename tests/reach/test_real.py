"""`reach --live` on a real host: the kernel's rules, their counters, and what somebody did to them."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.promised import broken
from tests.lab.cloud import blank_cloud, running_agent
from tests.lab.typed import typed

pytestmark = pytest.mark.real

GROUPS = """\
security_groups:
  web:
    ingress:
      - {protocol: tcp, ports: 443, from: any}
"""


def run(spec: Path, *words: str, code: int = 0) -> str:
    done = typed(spec, *words)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two guests that are defined and off: their rules are there before their taps are."""
    path = blank_cloud(tmp_path_factory.mktemp("cloud"), count=2)
    off = path.read_text().replace("flavor: tiny}", "flavor: tiny, state: stopped, security_groups: [web]}")
    path.write_text(off + GROUPS)
    with running_agent():
        run(path, "apply", "-y")
        yield path
        run(path, "destroy", "-y", "--allow-destroy")


def live(spec: Path, *words: str, code: int) -> list[dict[str, object]]:
    found = json.loads(run(spec, "reach", "--live", *words, "--format", "json", code=code))
    assert broken(found, "reach") == []
    pairs: list[dict[str, object]] = found["pairs"]
    return pairs


def test_the_kernel_says_what_the_spec_says_with_line_and_counter(spec: Path) -> None:
    line = spec.read_text().splitlines().index(GROUPS.splitlines()[3]) + 1
    for pair in live(spec, "internet", "box", "tcp/443", code=0):
        assert (pair["verdict"], pair["spec"]) == ("allowed", "allowed")
        assert pair["rule"] == {"address": "group.web", "file": str(spec), "line": line, "packets": 0}
    for pair in live(spec, "internet", "box", "tcp/22", code=5):
        assert (pair["verdict"], pair["spec"]) == ("denied", "denied")
        rule = pair["rule"]
        assert isinstance(rule, dict)
        assert rule["address"] == pair["to"]
    assert [pair["protocol"] for pair in live(spec, "internet", "box-1", code=0)] == ["tcp"]


def test_what_somebody_changed_shows_where_the_spec_says_otherwise(spec: Path) -> None:
    tamper = "insert rule inet cloudsync forward_to tcp dport 9999 accept\n"
    tamper += "insert rule inet cloudsync forward_to tcp dport 443 counter drop\n"
    subprocess.run(["nft", "-f", "-"], input=tamper, text=True, check=True)
    found = {str(pair["port"]): pair for pair in live(spec, "internet", "box-1", code=5)}
    assert {port: (pair["verdict"], pair["spec"]) for port, pair in found.items()} == {
        "9999": ("allowed", "denied"),
        "443": ("denied", "allowed"),
    }
    shown = run(spec, "reach", "--live", "internet", "box-1", "tcp/9999")
    assert "the spec says denied" in shown
    run(spec, "apply", "-y")
    assert [pair["verdict"] for pair in live(spec, "internet", "box-1", "tcp/443", code=0)] == ["allowed"]
