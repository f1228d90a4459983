"""Run every benchmark, print a table, and keep the rows in bench/results.json. `make bench` calls it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from cloudsync.render.table import table

TOP = Path(__file__).resolve().parent.parent
RESULTS = TOP / "bench" / "results.json"
PRIVATE = ["setup/root", sys.executable, "tests/lab/private.py", "--uplink"]
BENCHMARKS = {
    "startup": False,
    "scheduler": False,
    "scale": False,
    "spec": False,
    "plan": True,
    "create": True,
    "metadata": True,
    "probes": True,
    "firewall": True,
    "packets": True,
    "observe": True,
    "moves": True,
    "watch": True,
}
"""Module of this folder, and whether it needs a private machine."""


def rows_of(name: str, private: bool) -> list[dict[str, Any]]:
    """The last line that it prints is its rows as JSON."""
    print(f"running bench.{name}", file=sys.stderr, flush=True)
    command = [*(PRIVATE if private else []), sys.executable, "-m", f"bench.{name}", "--json"]
    done = subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"bench.{name} ended with {done.returncode}")
    found: list[dict[str, Any]] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _others(names: set[str]) -> list[dict[str, Any]]:
    """What is known of other benchmarks, when only some are run."""
    try:
        known: list[dict[str, Any]] = json.loads(RESULTS.read_text())["rows"]
    except FileNotFoundError:
        return []
    return [row for row in known if row["name"] not in names]


def main() -> None:
    wanted = sys.argv[1:] or list(BENCHMARKS)
    rows = [row for name in wanted for row in rows_of(name, BENCHMARKS[name])]
    kept = [] if not sys.argv[1:] else _others({row["name"] for row in rows})
    RESULTS.write_text(json.dumps({"rows": [*kept, *rows]}, indent=2) + "\n")
    head = ("WHAT", "VALUE", "UNIT", "AGAINST", "RATIO", "BAR", "HOLDS")
    keys = ("name", "value", "unit", "peer", "ratio", "bar", "holds")
    print(table(head, [tuple("" if row[key] is None else str(row[key]) for key in keys) for row in rows]))


if __name__ == "__main__":
    main()
