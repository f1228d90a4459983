"""Agents with the parts of parts.py, as processes of their own."""

import os
import sys
from pathlib import Path

from tests.agent import run_agent
from tests.lab.copied import Copy, stand_in, write_to


def begun(root: Path, environment: dict[str, str], log: Path) -> Copy:
    """Runs at once; `environment` is all it has, and what it says is added to `log`."""
    return Copy(_live, root, environment, log)


def _live(root: Path, environment: dict[str, str], log: Path) -> None:
    stand_in(environment, str(Path.cwd()))
    write_to(log, log, how=os.O_APPEND)
    sys.exit(run_agent.main(root))
