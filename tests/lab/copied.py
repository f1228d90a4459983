"""Programs of ours that are there at once: each is a copy of one process that has loaded all that they import.

To start Python and import everything costs more than most of what tests do with a program: `typed`, `standins`, the
hosts of the lab and most agents are copies. Where it is to be proved how a program starts, it is executed.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing import reduction
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, Protocol

import cloudsync
from tests.lab.namespace import Namespace

LOADED = ["tests.lab.typed", "tests.lab.warm"]
TOP = Path(__file__).resolve().parents[2]
_PR_SET_NAME, _PR_SET_MM, _PR_SET_MM_ARG_END = 15, 35, 9
_ARG_START = 45
"""Where /proc/PID/stat has it, counted from behind the name."""
_libc = ctypes.CDLL(None, use_errno=True)


def server() -> ForkServerContext:
    """Of processes that are copies of one that has loaded it all; that one starts with the first of them."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(LOADED)
    return found


class Process(Protocol):
    """What tests do with a Copy and with a subprocess.Popen."""

    @property
    def pid(self) -> int: ...

    def send_signal(self, sig: int) -> None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...

    def wait(self, timeout: float) -> int: ...


class Copy:
    """Runs at once: `act(*arguments)`."""

    def __init__(self, act: Callable[..., object], *arguments: object) -> None:
        self._process = server().Process(target=act, args=arguments, daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def send_signal(self, sig: int) -> None:
        if self._process.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float) -> int:
        """Its exit status; that of a signal is negative."""
        self._process.join(timeout)
        assert self._process.exitcode is not None, f"it did not end in {timeout:g} s"
        return self._process.exitcode


class Passed:
    """A descriptor among the arguments of a Copy, which gets a number that is its own."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Callable[[Any], int], tuple[Any]]:
        return _detached, (reduction.DupFd(self._number),)


def _detached(passed: Any) -> int:
    number: int = passed.detach()
    return number


def agent(options: Sequence[str], environment: Mapping[str, str], log: Path, place: Namespace | None = None) -> Copy:
    """`cloudsync agent …`; `environment` is all it has, and what it says is added to `log`."""
    return Copy(_be_an_agent, options, dict(environment), log, place)


def _be_an_agent(options: Sequence[str], environment: dict[str, str], log: Path, place: Namespace | None) -> None:
    if place:
        place.become()
    stand_in(environment, str(TOP))
    write_to(log, log, how=os.O_APPEND)
    be_the_agent(*options)


def be_the_agent(*options: str) -> None:
    """`cloudsync agent …`, as which others see this process: the program is the one of the tree that was loaded."""
    tree = Path(cloudsync.__file__).parents[2]
    retitle(str(tree / ".venv" / "bin" / "cloudsync"), "agent", *options)
    run_here(["agent", *options])


def run_here(command: Sequence[str]) -> None:
    """The program in this process, from which it does not come back."""
    from cloudsync.cli.main import main

    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, encoding="utf-8") for number in (1, 2))
    try:
        main(list(command))
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()


def write_to(*files: Path, how: int = os.O_TRUNC) -> None:
    """What this process prints and says from now on."""
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | how, 0o600), number)


def stand_in(environment: Mapping[str, str], folder: str) -> None:
    """Be where another process is."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)


def retitle(*words: str) -> None:
    """Let others take this process for one that was started with these words, as far as there is room for them."""
    room = len(Path("/proc/self/cmdline").read_bytes())
    title = b"".join(word.encode() + b"\0" for word in words)[: room - 1] + b"\0"
    start = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[_ARG_START])
    ctypes.memmove(start, title.ljust(room, b"\0"), room)
    _libc.prctl(_PR_SET_MM, _PR_SET_MM_ARG_END, ctypes.c_ulong(start + len(title)), 0, 0)
    _libc.prctl(_PR_SET_NAME, Path(words[0]).name.encode()[:15])
