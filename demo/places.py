"""Where the demo keeps what is its own, and how it calls programs."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

TOP = Path(__file__).resolve().parents[1]
FOLDER = TOP / "build" / "demo"
SPEC = FOLDER / "cloud.yaml"
RECORD = FOLDER / "daemons"
CLOUDSYNC = TOP / ".venv" / "bin" / "cloudsync"
EXAMPLE = TOP / "cloud.yaml.example"


class Failure(Exception):
    """The demo cannot go on; `hint` is the way out."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def run(*command: str | Path, quiet: bool = False) -> None:
    """Raise Failure, with what the program said, unless it exits with 0."""
    done = subprocess.run(command, text=True, stdin=subprocess.DEVNULL, capture_output=quiet, check=False)
    if done.returncode:
        said = f"\n{(done.stdout + done.stderr).strip()}" if quiet else ""
        raise Failure(f"{' '.join(map(str, command))} exited with {done.returncode}{said}")


def read(*command: str | Path) -> str:
    """What a program printed; Failure when it failed. What it says besides goes to the terminal."""
    done = subprocess.run(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise Failure(f"{' '.join(map(str, command))} exited with {done.returncode}")
    return done.stdout.strip()


@contextmanager
def phase(what: str) -> Iterator[None]:
    """Say what is done, and how long it took when that is worth a line."""
    sys.stdout.write(f"== {what}\n")
    sys.stdout.flush()
    began = monotonic()
    yield
    took = monotonic() - began
    if took >= 1:
        sys.stdout.write(f"   {took:.0f} s\n")
        sys.stdout.flush()
