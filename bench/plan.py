"""No-op `cloudsync plan` of 10 real instances, whole process. In tests/lab/private.py; `--json` for rows."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.lab.cloud import blank_cloud, running_agent

BAR = 0.5
ROUNDS = 9


def measure(command: list[str]) -> float:
    """Wall seconds of the whole process."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    program = str(Path(sys.executable).with_name("cloudsync"))
    with tempfile.TemporaryDirectory() as folder, running_agent():
        spec = blank_cloud(Path(folder), count=10)
        command = [program, "-f", str(spec)]
        subprocess.run([*command, "apply", "-y", "--parallelism", "4"], check=True, stdout=subprocess.DEVNULL)
        try:
            subprocess.run([*command, "plan", "--detailed-exitcode"], check=True, stdout=subprocess.DEVNULL)
            took = statistics.median(measure([*command, "plan"]) for _ in range(ROUNDS))
            bare = statistics.median(measure([sys.executable, "-c", "import typer"]) for _ in range(ROUNDS))
        finally:
            subprocess.run([*command, "destroy", "-y", "--allow-destroy"], check=True, stdout=subprocess.DEVNULL)
    row = {
        "name": "no-op plan of 10 real instances, whole process",
        "value": round(took, 3),
        "unit": "s",
        "peer": f"python -c 'import typer' {bare:.3f} s",
        "ratio": round(took / bare, 2),
        "bar": f"< {BAR} s",
        "holds": took < BAR,
    }
    print(json.dumps([row]) if "--json" in sys.argv else f"{row['name']}: {took:.3f} s (bar {BAR} s)")
    sys.stdout.flush()
    os.sync()


if __name__ == "__main__":
    main()
