"""Observing ten hosts at once beside the slowest of them, each over ssh: on one machine, and with a way between them.

In tests/lab/private.py; `--json` for rows. The last rows are of hosts of which one is slower than the others. One
machine of two cores is all ten hosts and the controller: what they compute adds up here, and does not where each host
is a machine. A row's ratio is to the slowest asked alone. Beside it stand the one to the host that took longest in the
same run (1 where all are asked at once, 10 where one is asked after the other), and that of ten bare `ssh HOST true` to
one.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from bench.distance import apart
from cloudsync.hosts.fleet import Fleet
from cloudsync.model.cloud import Cloud
from cloudsync.model.snapshot import HostState, Snapshot
from cloudsync.spec.load import load
from tests.lab.lab import Hosts, lab

HOSTS = 10
ROUNDS = 5
FAR, FARTHER = 0.005, 0.01
"""Seconds that a packet is on its way where the hosts are far away, and to one that is farther than the others."""
BAR = 1.5


class Timed:
    """A host's Driver, as far as it is asked what is there."""

    def __init__(self, driver: Any) -> None:
        self._driver, self.took = driver, 0.0

    def observe(self) -> HostState:
        began = time.perf_counter()
        try:
            state: HostState = self._driver.observe()
            return state
        finally:
            self.took = time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Look:
    """Seconds until all had said what is there, and of the one that took longest."""

    whole: float
    slowest: float


@contextmanager
def asked(cloud: Cloud) -> Iterator[Callable[[], Look]]:
    """To be called for each look at its hosts; their connections are opened by the first."""
    with Fleet.open(cloud) as fleet:
        timed: dict[str, Any] = {name: Timed(driver) for name, driver in fleet.drivers.items()}
        clocked = replace(fleet, drivers=timed)

        def look() -> Look:
            began = time.perf_counter()
            snapshot = clocked.observe()
            took = time.perf_counter() - began
            _confirm(snapshot)
            return Look(took, max(one.took for one in timed.values()))

        yield look


def _confirm(snapshot: Snapshot) -> None:
    down = [f"{name}: {host.reason}" for name, host in snapshot.hosts.items() if not host.reachable]
    if down:
        raise SystemExit("\n".join(down))


def looked(cloud: Cloud) -> tuple[Look, Look]:
    """The first look, and one over open connections."""
    with asked(cloud) as look:
        return look(), look()


def greeted(it: Hosts, names: list[str]) -> float:
    """Seconds of a bare `ssh HOST true` at each of them at once."""
    began = time.perf_counter()
    running = [subprocess.Popen([*it.ssh(name), "true"], stdin=subprocess.DEVNULL) for name in names]
    codes = [one.wait() for one in running]
    if any(codes):
        raise SystemExit("ssh HOST true failed")
    return time.perf_counter() - began


def rows(it: Hosts, cloud: Cloud, where: str = "", slow: str = "") -> Iterator[dict[str, object]]:
    """Medians of some rounds, in each of which everything has its turn. `slow` is the slowest, where that is known."""
    names = [slow] if slow else cloud.hosts
    alone = {name: replace(cloud, hosts={name: cloud.hosts[name]}) for name in names}
    together: list[tuple[Look, Look]] = []
    each: dict[str, list[tuple[Look, Look]]] = {name: [] for name in alone}
    bare: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        together.append(looked(cloud))
        for name, one in alone.items():
            each[name].append(looked(one))
        bare.append((greeted(it, it.names), greeted(it, [slow or it.names[0]])))
    ssh = _against(*(statistics.median(one) for one in zip(*bare, strict=True)))
    for index, how in enumerate(("connections and all", "over open connections")):
        whole = statistics.median(one[index].whole for one in together)
        inside = statistics.median(one[index].whole / one[index].slowest for one in together)
        single = max(statistics.median(one[index].whole for one in found) for found in each.values())
        yield {
            "name": f"observing {HOSTS} hosts{where}, {how}",
            "value": round(whole, 3),
            "unit": "s",
            "peer": f"the slowest alone {single:.3f} s; {inside:.2f} x the slowest of the same run; "
            f"`ssh HOST true` at {HOSTS} and at one {ssh}; {os.cpu_count()} cores are all {HOSTS} and the controller",
            "ratio": round(whole / single, 2),
            "bar": f"<= {BAR} x the slowest alone",
            "holds": whole / single <= BAR,
        }


def _against(whole: float, one: float) -> str:
    return f"{whole:.3f} / {one:.3f} s = {whole / one:.2f}"


def main() -> None:
    with lab(hosts=HOSTS) as it:
        cloud = load(it.write_spec(it.spec(count=0)))
        found = [*rows(it, cloud)]
        with apart(it, FAR):
            found += rows(it, cloud, f" to which it is {2 * FAR * 1000:.0f} ms there and back")
        slow = it.names[-1]
        with apart(it, FARTHER, cloud.hosts[slow].address or ""):
            found += rows(it, cloud, f", to one of which it is {2 * FARTHER * 1000:.0f} ms there and back", slow)
    print(json.dumps(found) if "--json" in sys.argv else "\n".join(_line(one) for one in found))
    sys.stdout.flush()


def _line(row: dict[str, object]) -> str:
    return f"{row['name']}: {row['value']} s, {row['ratio']} x {row['peer']}"


if __name__ == "__main__":
    main()
