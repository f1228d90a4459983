"""Imported by the process that all runs of the program are copies of (`typed`): it plans and applies once on a
simulated host, after which everything is loaded, and what is built when it is first needed is there."""

import os
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from cloudsync.cli.main import app
from cloudsync.hosts import host  # noqa: F401 (the real one)
from cloudsync.model import wire
from cloudsync.model.agent_state import AgentState, ImageDone
from cloudsync.model.delta import DocumentDelta
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
