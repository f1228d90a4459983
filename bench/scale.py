"""Plans of big clouds on simulated hosts in memory: the first, one with nothing to do, one after losing ten hosts.

From what was observed to the plan, in this process: no YAML, no ssh. The hosts share one directory in memory, as they
do when one process made them. `--json` for rows; times are the processor's.
"""

import statistics
from typing import Any

from bench.fleet import PER_HOST, big, carry_out, empty, observe
from bench.scheduler import loop, show, took
from cloudsync.model.plan import Plan
from cloudsync.pipeline import decide

SIZES = (100, 300, 1000)
BAR, GROWTH = 3.0, 1.25
ROUNDS = 5
LOST = 10


def measured(hosts: int) -> dict[str, float]:
    """Seconds of each plan."""
    cloud, there = big(hosts), empty(big(hosts))
    plans: list[Plan] = []
    first = took(lambda: plans.append(decide(cloud, observe(there), "bench")))
    carry_out(plans[-1], there)
    quiet = observe(there)
    assert decide(cloud, quiet, "bench").empty
    rounds = [took(lambda: decide(cloud, quiet, "bench")) for _ in range(ROUNDS)]
    lost = observe(there, sorted(cloud.hosts)[:LOST])
    after = statistics.median(took(lambda: decide(cloud, lost, "bench")) for _ in range(ROUNDS))
    return {"first": first, "nothing": statistics.median(rounds), "least": min(rounds), "lost": after}


def rows() -> list[dict[str, Any]]:
    found = {hosts: measured(hosts) for hosts in SIZES}
    bare = statistics.median(took(loop) for _ in range(ROUNDS))
    small, most = SIZES[0], SIZES[-1]
    whole, count = found[most], most * PER_HOST
    growth = (whole["least"] / most) / (found[small]["least"] / small)
    each = ", ".join(f"{hosts * PER_HOST:,}: {found[hosts]['least']:.2f} s" for hosts in SIZES)
    return [
        _row(f"no-op plan of {count:,} instances on {most:,} hosts", whole["nothing"], bare, f"<= {BAR} s", BAR),
        {
            "name": f"time of a no-op plan for each instance, of {count:,} against {small * PER_HOST:,}",
            "value": round(growth, 2),
            "unit": "times",
            "peer": each,
            "ratio": None,
            "bar": f"<= {GROWTH}",
            "holds": growth <= GROWTH,
        },
        _row(f"first plan of {count:,} instances on {most:,} hosts", whole["first"], bare),
        _row(f"plan after losing {LOST} of {most:,} hosts", whole["lost"], bare),
    ]


def _row(name: str, seconds: float, bare: float, bar: str | None = None, limit: float | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(seconds, 2),
        "unit": "s",
        "peer": f"10 million additions in Python {bare:.2f} s",
        "ratio": round(seconds / bare, 2),
        "bar": bar,
        "holds": None if limit is None else seconds <= limit,
    }


if __name__ == "__main__":
    show(rows())
