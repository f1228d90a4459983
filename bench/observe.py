"""Observing ten hosts at once beside the slowest alone, each over ssh. In tests/lab/private.py; `--json` for rows."""

import json
import os
import statistics
import sys
import time
from dataclasses import replace

from cloudsync.hosts.fleet import Fleet
from cloudsync.model.cloud import Cloud
from cloudsync.spec.load import load
from tests.lab.lab import lab

HOSTS = 10
ROUNDS = 3
BAR = 1.5


def observed(cloud: Cloud, fresh: bool) -> float:
    """Seconds until all its hosts have said what is there; `fresh`: their connections are opened first."""
    with Fleet.open(cloud) as fleet:
        if not fresh:
            fleet.observe()
        began = time.perf_counter()
        snapshot = fleet.observe()
        took = time.perf_counter() - began
    down = [f"{name}: {host.reason}" for name, host in snapshot.hosts.items() if not host.reachable]
    if down:
        raise SystemExit("\n".join(down))
    return took


def row(cloud: Cloud, fresh: bool) -> dict[str, object]:
    """The medians of some rounds; the slowest is the host whose median is the longest."""
    alone = [replace(cloud, hosts={name: host}) for name, host in cloud.hosts.items()]
    slowest = max(statistics.median(observed(one, fresh) for _ in range(ROUNDS)) for one in alone)
    together = statistics.median(observed(cloud, fresh) for _ in range(ROUNDS))
    ratio = together / slowest
    return {
        "name": f"observing {HOSTS} hosts, " + ("connections and all" if fresh else "over open connections"),
        "value": round(together, 3),
        "unit": "s",
        "peer": f"the slowest alone: {slowest:.3f} s; {os.cpu_count()} cores serve all {HOSTS} and the controller",
        "ratio": round(ratio, 2),
        "bar": f"<= {BAR} x the slowest",
        "holds": ratio <= BAR,
    }


def main() -> None:
    with lab(hosts=HOSTS) as it:
        cloud = load(it.write_spec(it.spec(count=0)))
        rows = [row(cloud, fresh=True), row(cloud, fresh=False)]
    print(json.dumps(rows) if "--json" in sys.argv else "\n".join(f"{one['name']}: {one['value']} s" for one in rows))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
