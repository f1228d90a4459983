"""`apply --wait` and Ctrl-C: what guests reported before the wait counts too, and nothing keeps a person waiting."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.cli.wait import wait
from cloudsync.hosts.fleet import Fleet
from cloudsync.hosts.sim import SimHost
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import Boot, HostState
from tests.cli.terminal import Terminal
from tests.cli.test_session import SPEC
from tests.laws.fleet import decide
from tests.planner.build import cloud, instance

ONE = cloud(instance("web"), hosts=("kvm-1",))


class Reporting(SimHost):
    """Its guests finished long ago, and something in them failed."""

    def observe(self) -> HostState:
        state = super().observe()
        boots = {uuid: Boot(uuid=uuid, finished=True, failures=("runcmd",)) for uuid in state.machines}
        return replace(state, boots=boots)


def test_a_failure_reported_before_the_wait_is_told_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    host = Reporting("kvm-1", "sim:", None)
    fleet = Fleet({"kvm-1": host}, ONE.hosts)
    for step in decide(ONE, fleet.observe()).plan.steps:
        host.perform(step, {}, lambda _: None)
    assert wait(ONE, fleet, 1) == 1
    assert "web: cloud-init is done, with failures: runcmd" in capsys.readouterr().err


class Silent(SimHost):
    """Nothing was heard of its guests so far, and nothing is while it is waited for."""

    def observe(self) -> HostState:
        return replace(super().observe(), boots={})

    def wait_booted(self, names: Mapping[str, str], seen: Callable[[Boot], None], timeout: float) -> None:
        raise HostError(f"no end of boot from {', '.join(sorted(names.values()))}")


def test_a_wait_knows_by_name_whom_it_waits_for(capsys: pytest.CaptureFixture[str]) -> None:
    two = cloud(instance("web"), instance("db"), hosts=("kvm-1",))
    host = Silent("kvm-1", "sim:", None)
    fleet = Fleet({"kvm-1": host}, two.hosts)
    for step in decide(two, fleet.observe()).plan.steps:
        host.perform(step, {}, lambda _: None)
    assert wait(two, fleet, 1) == 1
    assert "error: no end of boot from db, web" in capsys.readouterr().err


class Cut(SimHost):
    """Somebody presses Ctrl-C while it is waited for, and the way to it is closed then."""

    closed: threading.Event
    waiting: threading.Thread

    def observe(self) -> HostState:
        return replace(super().observe(), boots={})

    def wait_booted(self, names: Mapping[str, str], seen: Callable[[Boot], None], timeout: float) -> None:
        self.waiting = threading.current_thread()
        signal.raise_signal(signal.SIGINT)
        self.closed.wait()
        raise HostError("the agent stopped in the middle of an answer")


def test_a_wait_that_is_interrupted_blames_no_host(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    host = Cut("kvm-1", "sim:", None)
    host.closed = threading.Event()
    fleet = Fleet({"kvm-1": host}, ONE.hosts)
    try:
        for step in decide(ONE, fleet.observe()).plan.steps:
            host.perform(step, {}, lambda _: None)
        with pytest.raises(KeyboardInterrupt):
            wait(ONE, fleet, 60)
    finally:
        signal.signal(signal.SIGINT, before)
        host.closed.set()
    host.waiting.join()
    assert "error" not in capsys.readouterr().err


HANGING = """
import os, signal, threading
from cloudsync.hosts.ask import at_once

# A shell without job control starts what runs in the background with this ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

def hang():
    print("asked", flush=True)
    threading.Event().wait(60)
    print("waited for", flush=True)

try:
    at_once([hang])
except KeyboardInterrupt:
    print("given up", flush=True)
    os._exit(0)
"""


@pytest.mark.slow
def test_an_interrupted_question_is_not_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", HANGING], stdout=subprocess.PIPE, text=True) as asking:
        assert asking.stdout
        assert asking.stdout.readline() == "asked\n"
        asking.send_signal(signal.SIGINT)
        assert asking.stdout.read() == "given up\n"


@pytest.mark.slow
def test_an_apply_goes_on_when_nobody_reads_what_it_says(tmp_path: Path) -> None:
    spec = Terminal(tmp_path)
    spec.write(SPEC)
    words = [sys.executable, "-m", "cloudsync", "-f", str(spec.spec), "apply", "-y"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as deaf:
        assert deaf.stderr
        deaf.stderr.close()
    assert deaf.returncode == 0
    assert spec.type("plan", "--detailed-exitcode").code == 0
