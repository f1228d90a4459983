"""No-op `cloudsync plan` of 10 real instances, whole process. In tests/lab/private.py; `--json` for rows."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.process import PROGRAM, TYPER, importing, in_turns, process
from bench.scheduler import show
from tests.lab.cloud import blank_cloud, running_agent

BAR = 0.5
ROUNDS = 21


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running_agent():
        spec = blank_cloud(Path(folder), count=10)
        command = [PROGRAM, "-f", str(spec)]
        subprocess.run([*command, "apply", "-y", "--parallelism", "4"], check=True, stdout=subprocess.DEVNULL)
        try:
            subprocess.run([*command, "plan", "--detailed-exitcode"], check=True, stdout=subprocess.DEVNULL)
            found = in_turns(lambda: process([*command, "plan"]), importing, ROUNDS)
        finally:
            subprocess.run([*command, "destroy", "-y", "--allow-destroy"], check=True, stdout=subprocess.DEVNULL)
    show([TYPER.row("no-op plan of 10 real instances, whole process", found, BAR)])
    sys.stdout.flush()
    os.sync()


if __name__ == "__main__":
    main()
