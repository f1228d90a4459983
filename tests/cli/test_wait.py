"""`apply --wait` and Ctrl-C: what guests reported before the wait counts too, and nothing keeps a person waiting."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.cli.wait import wait
from cloudsync.hosts.ask import at_once
from cloudsync.hosts.fleet import Fleet
from cloudsync.hosts.sim import SimHost
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


def test_an_interrupted_question_is_not_waited_for() -> None:
    never, asked, waited_for = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        asked.set()
        never.wait(60)
        waited_for.set()

    def interrupt() -> None:
        asked.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        at_once([hang])
    assert not waited_for.is_set()
    never.set()


def test_an_apply_goes_on_when_nobody_reads_what_it_says(tmp_path: Path) -> None:
    spec = Terminal(tmp_path)
    spec.write(SPEC)
    words = [sys.executable, "-m", "cloudsync", "-f", str(spec.spec), "apply", "-y"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as deaf:
        assert deaf.stderr
        deaf.stderr.close()
    assert deaf.returncode == 0
    assert spec.type("plan", "--detailed-exitcode").code == 0
