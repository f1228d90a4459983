"""Whole processes by the clock, in turns with one that only imports typer, and that beside which bars were set."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ruamel.yaml import YAML

from bench.calm import Measured, Round, measured
from bench.reference import Reference

PROGRAM = str(Path(sys.executable).with_name("cloudsync"))
BARE = [sys.executable, "-c", "import typer"]
TYPER = Reference("python -c 'import typer'", 0.054)
READING = Reference("ruamel.yaml reading 2,000 mappings of 7 lines", 0.25)
_LINES = ("image: debian-12", "flavor: small", "network: default", "zone: rack-1", "count: 3", "state: running")
_MAPPINGS = "".join(f"vm-{at}:\n" + "".join(f"  {line}\n" for line in _LINES) for at in range(2_000))


def process(command: list[str], folder: Path | None = None) -> float:
    """Wall seconds of the whole process."""
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began


def importing() -> float:
    return process(BARE)


def reading() -> float:
    began = time.perf_counter()
    YAML(typ="safe").load(_MAPPINGS)
    return time.perf_counter() - began


def in_turns(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> Measured:
    """Theirs is the reference, and has its turn before and after each of ours."""
    found, before = [], theirs()
    for _ in range(rounds):
        took, after = ours(), theirs()
        found.append(Round(took, (before, after)))
        before = after
    return measured(found)
