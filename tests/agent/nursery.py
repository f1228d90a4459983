"""Agents as processes of their own, forked from one that has imported all they need: a Python that starts from nothing
costs more than most of the tests."""

import multiprocessing
import os
import sys
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Protocol

from tests.agent import run_agent

_PRELOAD = ["tests.agent.run_agent", "cloudsync.agent.app", "cloudsync.agent.parts", "uvicorn.server", "uvloop"]


class Process(Protocol):
    """What tests do with an agent's process; subprocess.Popen can do it too."""

    @property
    def pid(self) -> int: ...

    def send_signal(self, sig: int) -> None: ...

    def wait(self, timeout: float) -> int: ...


class Agent:
    """Runs at once; `environment` is all it has, and what it says is added to `log`."""

    def __init__(self, root: Path, environment: dict[str, str], log: Path) -> None:
        self._process = _context().Process(target=_live, args=(root, environment, log), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def send_signal(self, sig: int) -> None:
        if self._process.is_alive():
            os.kill(self.pid, sig)

    def wait(self, timeout: float) -> int:
        """Its exit status; that of a signal is negative."""
        self._process.join(timeout)
        assert self._process.exitcode is not None, f"it did not end in {timeout:g} s"
        return self._process.exitcode


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    return context


def _live(root: Path, environment: dict[str, str], log: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(target, stream)
    sys.exit(run_agent.main(root))
