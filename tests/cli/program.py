"""A `cloudsync` of its own process in which something happens in the middle of an apply to simulated hosts."""

import subprocess
import sys
from pathlib import Path

_BEGIN = """
import os, signal, sys
from cloudsync.cli.main import main
from cloudsync.hosts import sim
from cloudsync.model.problem import HostError

real = sim.perform

def perform(state, step, capacity):
    if step.kind == {kind!r}:
        {act}
    return real(state, step, capacity)

vars(sim)["perform"] = perform
main(sys.argv[1:])
"""


def typed(spec: Path, kind: str, act: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """`act` is a statement that runs before each step of `kind`."""
    program = _BEGIN.format(kind=kind, act=act)
    return subprocess.run([sys.executable, "-c", program, "-f", str(spec), *words], capture_output=True, text=True)
