"""Imported by the process that all runs are copies of: it plans and applies once on a simulated host, after which
everything is loaded, and what is built when it is first needed is there."""

import os
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from cloudsync.cli.main import app
from cloudsync.hosts import host  # noqa: F401 (the real one)
from cloudsync.model import wire
from cloudsync.model.agent_state import AgentState, ImageDone
from cloudsync.model.delta import DocumentDelta
from tests.kill import doors  # noqa: F401
from tests.kill.spec import Box, Cloud, draw_images

COMMANDS = ("plan --format json", "apply -y", "plan --format json", "plan")


def _practise(folder: Path) -> None:
    draw_images(folder)
    spec = Cloud(boxes={"one": Box(), "two": Box()}).write(folder / "cloud.yaml", {"here": "{uri: 'sim:'}"})
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
