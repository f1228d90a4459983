"""Ctrl-C in the middle of an apply on the real thing, and two applies at once."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.lab.begun import Begun
from tests.lab.cloud import blank_cloud, running_agent
from tests.lab.typed import typed

pytestmark = pytest.mark.real


def run(spec: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return typed(spec, *words)


def begin(spec: Path, done: int = 1) -> Begun:
    """An apply of which the first steps have been done."""
    begun = Begun(spec, "apply", "-y", "--parallelism", "1")
    assert any(line.startswith(f"[{done}/") for line in begun.stderr)
    return begun


def test_an_interrupted_apply_finishes_what_runs_and_is_finished_by_the_next(tmp_path: Path) -> None:
    spec = blank_cloud(tmp_path, count=4)
    with running_agent():
        begun = begin(spec)
        os.kill(begun.pid, signal.SIGINT)
        _, said = begun.communicate(timeout=120)
        assert begun.returncode == 130, said
        assert "interrupted" in said
        assert "Traceback" not in said
        assert run(spec, "plan", "--detailed-exitcode").returncode == 2
        assert run(spec, "apply", "-y").returncode == 0
        assert run(spec, "plan", "--detailed-exitcode").returncode == 0
        assert run(spec, "destroy", "-y", "--allow-destroy").returncode == 0


def test_a_killed_apply_leaves_no_lock_and_is_finished_by_the_next(tmp_path: Path) -> None:
    spec = blank_cloud(tmp_path, count=4)
    with running_agent():
        begun = begin(spec)
        second = run(spec, "apply", "-y")
        begun.kill()
        begun.communicate(timeout=120)
        assert second.returncode in (0, 4), second.stderr
        if second.returncode == 4:
            assert "root@" in second.stderr
        assert run(spec, "apply", "-y").returncode == 0
        assert run(spec, "plan", "--detailed-exitcode").returncode == 0
        assert run(spec, "destroy", "-y", "--allow-destroy").returncode == 0


def test_an_apply_whose_lock_is_gone_starts_nothing_more_and_says_so(tmp_path: Path) -> None:
    """What is left to do needs libvirt only, so nothing of it would fail by itself."""
    spec = blank_cloud(tmp_path, count=4)
    with running_agent() as agent:
        begun = begin(spec, done=3)
        agent.kill()
        _, said = begun.communicate(timeout=120)
        assert begun.returncode == 1, said
        assert "the apply lock of host here is gone" in said
        assert "skipped create" in said
        assert "Traceback" not in said
    with running_agent():
        assert run(spec, "apply", "-y").returncode == 0
        assert run(spec, "plan", "--detailed-exitcode").returncode == 0
        assert run(spec, "destroy", "-y", "--allow-destroy").returncode == 0
