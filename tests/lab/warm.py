"""Imported by the process that programs of ours are copies of (`copied`): it plans and applies once on a simulated
host, after which everything is loaded, and what is built when it is first needed is there; and all that an agent is."""

import gc
import os
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pyroute2  # noqa: F401
import uvicorn.server  # noqa: F401
import uvloop  # noqa: F401

from cloudsync.agent import app as api  # noqa: F401
from cloudsync.agent import daemon, early, parts  # noqa: F401
from cloudsync.cli.main import app
from cloudsync.hosts import host  # noqa: F401 (the real one)
from cloudsync.model import wire
from cloudsync.model.agent_state import AgentState, ImageDone
from cloudsync.model.delta import DocumentDelta
from tests.lab import runner  # noqa: F401
from tests.lab.cloud import blank_cloud

COMMANDS = ("plan --format json", "apply -y", "plan --format json", "plan")


def _practise(folder: Path) -> None:
    spec = blank_cloud(folder, 2)
    spec.write_text(spec.read_text().replace("qemu:///system", "sim:"))
    for command in COMMANDS:
        app(args=["-f", str(spec), *command.split()], prog_name="cloudsync", standalone_mode=False)


with (
    tempfile.TemporaryDirectory() as _name,
    Path(os.devnull).open("w") as _nowhere,
    redirect_stdout(_nowhere),
    redirect_stderr(_nowhere),
):
    _practise(Path(_name))
for _kind in (AgentState, ImageDone, DocumentDelta):
    wire.schema(_kind, "{model}")
# Nothing of it is garbage that a copy should look for.
gc.collect()
gc.freeze()
