"""What iperf3 gets through several rulesets, each in a lab of its own; packets.py calls it.

The labs have their turns in rounds, in another order each time: one run differs from the next by more than rules cost.
"""

import json
import random
import statistics
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from bench.crowd import SERVICE
from bench.turns import Site

ROUNDS, SECONDS, OMITTED = 40, 1, 1
"""The first second of each run does not count: TCP begins slowly. Of 18 rounds, medians differ by 10 % by chance."""


def gigabits(sites: Mapping[str, Site]) -> dict[str, list[float]]:
    """By site, Gbit/s of each round, on whichever processors the kernel chooses: as where the bar was set."""
    found: dict[str, list[float]] = {name: [] for name in sites}
    with ExitStack() as stack:
        for site in sites.values():
            stack.enter_context(_server(site))
        for _ in range(ROUNDS):
            for name in random.sample(list(sites), len(sites)):
                found[name].append(_run(sites[name]))
    return found


def chance(ones: Sequence[float], others: Sequence[float], tries: int = 5_000) -> float:
    """How often medians differ as much when it is left to chance which run was whose: the permutation test's p. Under
    0.05 the two are taken to differ."""
    found = abs(statistics.median(ones) - statistics.median(others))
    runs, met = [*ones, *others], 0
    for _ in range(tries):
        random.shuffle(runs)
        met += abs(statistics.median(runs[: len(ones)]) - statistics.median(runs[len(ones) :])) >= found
    return met / tries


@contextmanager
def _server(site: Site) -> Iterator[None]:
    """It listens when this is entered."""
    command = _iperf(site.ends[1].namespace.name, "-s", "--forceflush")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        next(line for line in process.stdout if "listening" in line)
        yield
    finally:
        process.kill()
        process.wait()


def _run(site: Site) -> float:
    first, second = site.ends
    length = ("-t", str(SECONDS), "-O", str(OMITTED))
    command = _iperf(first.namespace.name, "-c", second.address, *length, "-J")
    told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout)
    if "error" in told:
        raise SystemExit(f"iperf3: {told['error']}")
    return float(told["end"]["sum_received"]["bits_per_second"]) / 1e9


def _iperf(space: str, *options: str) -> list[str]:
    return ["ip", "netns", "exec", space, "iperf3", "-p", str(SERVICE), *options]
