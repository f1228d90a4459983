"""The program as a process that is there at once, and that something strikes at a chosen moment.

Python and its libraries are loaded by one process that does nothing else; each run is a copy of it.
"""

import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kill.blows import children
from tests.lab.copied import run_here, server, write_to

PATIENCE = 180.0
BUSY, SLOW = 5, "did not answer in"
KILLED = -signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Done:
    """`moments` are those that came, in order."""

    code: int
    out: str
    err: str
    moments: list[str]

    @property
    def said(self) -> str:
        return f"exit {self.code}\n{self.out}{self.err}"

    def reached(self, at: int | str) -> bool:
        """Whether moment `at` came. What waits for a guest or a move does not ask as often each time."""
        if isinstance(at, str):
            return any(moment.startswith(at) for moment in self.moments)
        return 0 < at <= len(self.moments)


def itself() -> None:
    """The controller and every process that it started, ssh among them, at once."""
    for child in children(os.getpid()):
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    os.killpg(0, signal.SIGKILL)


class Program:
    """`folder` is where a run says what it says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = server()

    def run(self, spec: Path, *words: str, at: int | str = 0, strike: Callable[[], None] = itself) -> Done:
        """`strike` at moment `at`."""
        files = [self._folder / name for name in ("out", "err", "moments")]
        command = ["-f", str(spec), *words]
        process = self._server.Process(target=_be_the_program, args=(command, files, at, strike), daemon=True)
        process.start()
        process.join(PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()
            raise AssertionError(f"{' '.join(words)} does not end\n{files[1].read_text()}")
        out, err, moments = (file.read_text(errors="replace") for file in files)
        return Done(process.exitcode or 0, out, err, moments.splitlines())

    def plan(self, spec: Path) -> dict[str, Any]:
        done = self.calm(spec, "plan", "--format", "json")
        assert done.code == 0, done.said
        found: dict[str, Any] = json.loads(done.out)
        return found

    def apply(self, spec: Path) -> Done:
        done = self.calm(spec, "apply", "-y", "--allow-destroy", "--allow-mass-delete")
        assert done.code == 0, done.said
        return done

    def calm(self, spec: Path, *words: str) -> Done:
        """Again when a host was too busy to answer: not what is tried here, and what the program says to do."""
        for _ in range(BUSY):
            done = self.run(spec, *words)
            if SLOW not in done.said:
                break
        return done


def _be_the_program(command: list[str], files: list[Path], at: int | str, strike: Callable[[], None]) -> None:
    from tests.kill.doors import Moments, watch

    os.setsid()
    os.environ["NO_COLOR"] = "1"
    write_to(*files[:2])
    watch(Moments(files[2], at, strike))
    run_here(command)
