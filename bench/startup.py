"""`cloudsync --help` against `python -c "import typer"`, whole processes taking turns. `--json` for rows."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

BAR = 2.0
ROUNDS = 21


def measure(command: list[str]) -> float:
    """Wall seconds of the whole process."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    ours = [str(Path(sys.executable).with_name("cloudsync")), "--help"]
    bare = [sys.executable, "-c", "import typer"]
    pairs = [(measure(ours), measure(bare)) for _ in range(ROUNDS)]
    took = statistics.median(one for one, _ in pairs)
    ratio = statistics.median(one / other for one, other in pairs)
    row = {
        "name": "cloudsync --help, whole process",
        "value": round(took, 3),
        "unit": "s",
        "peer": 'python -c "import typer"',
        "ratio": round(ratio, 2),
        "bar": f"<= {BAR} x",
        "holds": ratio <= BAR,
    }
    print(json.dumps([row]) if "--json" in sys.argv else f"{row['name']}: {took:.3f} s, {ratio:.2f} x {row['peer']}")


if __name__ == "__main__":
    main()
