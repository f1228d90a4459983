"""A watch that follows a branch: what is pushed is applied, what must not be is refused, and the cloud stays as it is.

The remote is a bare repository, the hosts are simulated: their journals are what a restarted watch remembers by.
"""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudsync.hosts.sim import SimHost
from cloudsync.watch.branch import BranchSource
from cloudsync.watch.happening import Ending
from cloudsync.watch.trigger import Reason
from tests.cli.terminal import Terminal
from tests.effort import PATIENCE
from tests.lab.ports import free_port
from tests.spec.followed import Site
from tests.spec.repository import Repository
from tests.spec.signers import Signer
from tests.watch.conventions import Samples, samples
from tests.watch.watched import SPEC, Watched, watched

pytestmark = pytest.mark.slow

MORE = SPEC + "  more: {image: blank, flavor: small}\n"
MOST = MORE + "  most: {image: blank, flavor: small}\n"
OTHER = SPEC + "  other: {image: blank, flavor: small}\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site.new(tmp_path)
    made.push(cloud_yaml=SPEC)
    # Simulated hosts are those that the person here has checked out.
    Repository(made.here).git("pull", "-q")
    return made


@pytest.fixture
def alice(tmp_path: Path) -> Signer:
    return Signer.new(tmp_path, "alice")


@contextmanager
def following(site: Site, signers: Path | None = None, every: float | None = None) -> Iterator[Watched]:
    source = BranchSource(site.follower(signers), 0.1, print)
    with watched(site.here / "cloud.yaml", every, source=source) as it:
        yield it


def runs(site: Site) -> set[str]:
    """What runs on the hosts."""
    states = [SimHost(name, "sim:", site.here, "demo").state for name in ("h1", "h2")]
    return {machine.name for state in states for machine in state.machines.values()}


def test_a_push_is_applied_and_nothing_here_is_disturbed(site: Site) -> None:
    with following(site) as it:
        assert it.next().ending is Ending.APPLIED
        (site.here / "cloud.yaml").write_text("somebody works here: [")
        tip = site.push(cloud_yaml=MORE)
        found = it.after(Reason.COMMIT)
        assert (found.ending, found.commit, found.dirty) == (Ending.APPLIED, tip, False)
    assert runs(site) == {"web", "more"}
    assert (site.here / "cloud.yaml").read_text() == "somebody works here: ["


def test_a_branch_that_was_pushed_by_force_is_refused_also_by_the_next_watch(site: Site) -> None:
    base = site.desk.git("rev-parse", "HEAD")
    with following(site) as it:
        assert it.next().ending is Ending.APPLIED
        good = site.push(cloud_yaml=MORE)
        assert it.after(Reason.COMMIT).ending is Ending.APPLIED
        site.desk.git("reset", "-q", "--hard", base)
        site.push("--force", cloud_yaml=OTHER)
        found = it.after(Reason.COMMIT)
        assert (found.ending, "was it pushed by force?" in found.message) == (Ending.REFUSED, True)
    with following(site) as it:
        found = it.next()
        assert (found.ending, f"does not go on from {good[:12]}" in found.message) == (Ending.REFUSED, True)
    assert runs(site) == {"web", "more"}


def test_an_older_commit_is_refused_by_a_watch_that_never_saw_the_newer(site: Site) -> None:
    base = site.desk.git("rev-parse", "HEAD")
    site.push(cloud_yaml=MORE)
    with following(site) as it:
        assert it.next().ending is Ending.APPLIED
    site.desk.git("reset", "-q", "--hard", base)
    site.publish("--force")
    with following(site) as it:
        found = it.next()
        assert (found.ending, "1 commit older than" in found.message) == (Ending.REFUSED, True)
    assert runs(site) == {"web", "more"}


def test_an_older_commit_that_would_change_nothing_is_refused_as_well(site: Site) -> None:
    base = site.desk.git("rev-parse", "HEAD")
    site.push(cloud_yaml=MORE)
    site.push(cloud_yaml=SPEC)
    with following(site) as it:
        assert it.next().ending is Ending.APPLIED
        site.desk.git("reset", "-q", "--hard", base)
        site.publish("--force")
        assert it.after(Reason.COMMIT).ending is Ending.REFUSED


def test_only_what_is_signed_is_applied(site: Site, alice: Signer, tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.write_text(alice.line())
    alice.commit(site.desk)
    site.publish()
    with following(site, allowed) as it:
        assert it.next().ending is Ending.APPLIED
        site.push(cloud_yaml=MORE)
        found = it.after(Reason.COMMIT)
        assert (found.ending, "is not signed" in found.message) == (Ending.REFUSED, True)
        assert runs(site) == {"web"}
        alice.commit(site.desk)
        site.publish()
        found = it.after(Reason.COMMIT)
        assert (found.ending, "is not signed" in found.message) == (Ending.REFUSED, True), "nor what is below"
        assert runs(site) == {"web"}
        site.desk.git("reset", "-q", "--hard", "HEAD~2")
        (site.desk.folder / "cloud.yaml").write_text(MORE)
        tip = alice.commit(site.desk)
        site.publish("--force")
        found = it.after(Reason.COMMIT)
        assert (found.ending, found.commit) == (Ending.APPLIED, tip)
    assert runs(site) == {"web", "more"}


def test_what_was_good_is_kept_while_the_newest_is_refused(site: Site) -> None:
    """Who can push, but not sign, cannot have the watch look away either."""
    base = site.desk.git("rev-parse", "HEAD")
    with following(site, every=0.2) as it:
        site.push(cloud_yaml=MORE)
        while runs(site) != {"web", "more"}:
            it.next()
        site.desk.git("reset", "-q", "--hard", base)
        site.push("--force", cloud_yaml=OTHER)
        while it.next().ending is not Ending.REFUSED:
            continue
        host = next(host for host in _hosts(site) if any(one.name == "more" for one in host.state.machines.values()))
        _stop_all(host)
        while not host.state.runs:
            assert it.next().ending in (Ending.QUIET, Ending.APPLIED)
        assert runs(site) == {"web", "more"}


def _hosts(site: Site) -> list[SimHost]:
    return [SimHost(name, "sim:", site.here, "demo") for name in ("h1", "h2")]


def _stop_all(host: SimHost) -> None:
    """By hand."""
    host.state = replace(host.state, machines={}, runs={})


class Command:
    """`cloudsync watch` as a process, and what it says."""

    def __init__(self, site: Site, *words: str) -> None:
        command = [sys.executable, "-m", "cloudsync", "-f", str(site.here / "cloud.yaml"), "watch", *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def until(self, event: str) -> dict[str, Any]:
        assert self.process.stdout
        for line in self.process.stdout:
            found: dict[str, Any] = json.loads(line)
            if found["event"] == event:
                return found
        raise AssertionError(f"it ended before {event}")

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.stdout
        self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait(PATIENCE)


def read(port: int) -> Samples:
    """The metrics."""
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with straight.open(f"http://127.0.0.1:{port}/metrics") as answer:
        return samples(answer.read().decode())


def test_the_command_tells_systemd_prometheus_and_the_forge(
    site: Site, tmp_path: Path, alice: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed, status, told = tmp_path / "allowed", tmp_path / "status.json", tmp_path / "told"
    allowed.write_text(alice.line())
    tip = alice.commit(site.desk)
    site.publish()
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, free_port() as port:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        watch = ["--git", "origin/main", "--require-signed", "--allowed-signers", str(allowed), "--every", "60s"]
        more = ["--status-file", str(status), "--status-hook", f"tee {told}", "--metrics", f"127.0.0.1:{port}"]
        command = Command(site, *watch, *more)
        words = [systemd.recv(4096).decode()]
        assert words[0].startswith("READY=1")
        assert command.until("round-ended")["commit"] == tip
        found = read(port)
        assert found["cloudsync_watch_rounds_total", (("outcome", "applied"),)] == 1
        assert found["cloudsync_watch_commit_info", (("commit", tip), ("dirty", "false"))] == 1
        assert command.end() == 0
        while not words[-1].startswith("STOPPING=1"):
            words.append(systemd.recv(4096).decode())
    assert any("WATCHDOG=1" in one for one in words)
    for file in (status, told):
        assert (json.loads(file.read_text())["commit"], json.loads(file.read_text())["state"]) == (tip, "success")
    assert runs(site) == {"web"}


def test_the_command_counts_a_commit_that_is_broken_while_the_older_one_is_kept(site: Site) -> None:
    with free_port() as port:
        command = Command(site, "--git", "origin/main", "--every", "1s", "--metrics", f"127.0.0.1:{port}")
        assert command.until("round-ended")["ending"] == "applied"
    site.push(cloud_yaml=SPEC + "  broken: [")
    for ending in ("broken", "quiet"):
        while command.until("round-ended")["ending"] != ending:
            continue
    assert read(port)["cloudsync_watch_commit_pending", ()] == 1
    assert command.end() == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--require-signed"], 64, "--git REMOTE/BRANCH"),
        (["--status-file", "x"], 64, "--git REMOTE/BRANCH"),
        (["--git", "origin/main", "--require-signed"], 64, "nobody is named who may sign"),
        (["--git", "origin/main", "--allowed-signers", "/nowhere/x"], 1, "there is no such file"),
        (["--git", "origin/main", "--allowed-signers", "HERE"], 1, "in the repository itself"),
        (["--git", "elsewhere/main"], 1, "is not a branch of a remote"),
        (["--git", "origin/main", "--status-hook", "notify 'a"], 64, "is no command"),
        (["--git", "origin/main", "--status-file", "HERE"], 1, "is no commit's status: it is not overwritten"),
        (["--metrics", "9477"], 64, "is not ADDRESS:PORT"),
    ],
)
def test_what_makes_no_sense_is_said(site: Site, words: list[str], code: int, said: str) -> None:
    found = Terminal(site.here).type(
        "watch", *[str(site.here / "alice.pub") if one == "HERE" else one for one in words]
    )
    assert found.code == code
    assert said in " ".join(found.err.replace("│", " ").split())
