"""Placement of 10,000 instances on 1,000 hosts, zones, labels and groups in play, and packing against the optimum.

`--json` for rows. Times are the processor's, without garbage collection, as the command runs. Beside them stands what
a loop of Python's own takes on the same machine at the same time, because machines differ.
"""

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.fleet import PER_HOST, big, empty, observe
from cloudsync.scheduler.place import place
from tests.scheduler.fleets import fewest, fleet

BAR = 5000
HOSTS = 1000
ROUNDS = 5
FLEETS = 50


def took(what: Callable[[], object]) -> float:
    """Seconds of the processor."""
    gc.collect()
    gc.disable()
    try:
        began = time.process_time()
        what()
        return time.process_time() - began
    finally:
        gc.enable()


def loop() -> int:
    """Ten million additions."""
    total = 0
    for number in range(10_000_000):
        total += number
    return total


def packing() -> tuple[int, int]:
    """Hosts that are used over all fleets that CP-SAT can place, and how few would do."""
    ours, least = 0, 0
    for seed in range(FLEETS):
        best = fewest(*fleet(seed, "pack"))
        if best is not None:
            ours += len({one.host for one in place(*fleet(seed, "pack"))[0]})
            least += best
    return ours, least


def rows() -> list[dict[str, Any]]:
    cloud = big(HOSTS)
    snapshot = observe(empty(cloud))
    placed, unplaced = place(cloud, snapshot)
    assert not unplaced
    seconds = statistics.median(took(lambda: place(cloud, snapshot)) for _ in range(ROUNDS))
    bare = statistics.median(took(loop) for _ in range(ROUNDS))
    rate = len(placed) / seconds
    ours, least = packing()
    return [
        {
            "name": f"placement of {HOSTS * PER_HOST:,} instances on {HOSTS:,} hosts, zones, labels and anti-affinity",
            "value": round(rate),
            "unit": "instances/s",
            "peer": f"10 million additions in Python {bare:.2f} s",
            "ratio": round(seconds / bare, 2),
            "bar": f">= {BAR}",
            "holds": rate >= BAR,
        },
        {
            "name": f"hosts in use after packing {FLEETS} small fleets",
            "value": ours,
            "unit": "hosts",
            "peer": f"CP-SAT {least} hosts",
            "ratio": round(ours / least, 3),
            "bar": "<= 1.02 of it",
            "holds": ours <= 1.02 * least,
        },
    ]


def show(found: list[dict[str, Any]]) -> None:
    """As JSON with `--json`, else a line each."""
    lines = (f"{row['name']}: {row['value']} {row['unit']}" for row in found)
    print(json.dumps(found) if "--json" in sys.argv else "\n".join(lines))


if __name__ == "__main__":
    show(rows())
