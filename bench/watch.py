"""From a save to the rule in the kernel, by the first packet that comes through; and what a watch costs when nobody
saves, or saves on and on. In tests/lab/private.py; `--json` for rows, `--long` for 10,000 saves and nothing else."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

from tests.lab.cloud import blank_cloud, running_agent
from tests.lab.lab import Hosts, lab
from tests.lab.namespace import Namespace, ip

PROGRAM = str(Path(sys.executable).with_name("cloudsync"))
TOP = Path(__file__).resolve().parent.parent
SAVES = 25
ONE, LAB = 0.4, 1.0
IDLE = 60.0
MANY, MOST, LONG = 4_000, 10_000, 600.0
"""Saves, those of `--long`, and seconds after which it is enough of the former."""
GROWTH, POINTS = 10.0, 200
"""KiB per 1,000 saves that are noise: a page or two. Sizes that are compared, each with each."""
GROUP = """
security_groups:
  gate: {{ingress: [{{protocol: udp, ports: {port}, from: any}}]}}
"""
FIRST, PORTS = 20_000, 100
SIM = """\
version: 1
cloud: many
hosts:
  here: {{uri: 'sim:?vcpus=64&memory=64GiB&disk=1TiB'}}
images:
  blank: {{source: 'https://example.org/blank.raw', sha256: {digest}}}
networks:
  default: {{subnet: 10.20.0.0/24}}
flavors:
  tiny: {{vcpus: 1, memory: 32MiB, disk: 8MiB}}
instances:
  box: {{image: blank, flavor: tiny, count: 50, security_groups: [default, gate]}}
"""


class Watching:
    """A `cloudsync watch` on `spec`, which is saved by renaming; `text` is its text but for the group."""

    def __init__(self, spec: Path, text: str, *words: str) -> None:
        self.spec, self.text, self._port = spec, text, FIRST
        self.save()
        command = [PROGRAM, "-f", str(spec), "watch", *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def save(self) -> tuple[int, float]:
        """A rule for another port, and when it was there."""
        self._port = FIRST + (self._port + 1 - FIRST) % PORTS
        fresh = self.spec.with_name(".cloud.yaml.new")
        fresh.write_text(self.text + GROUP.format(port=self._port))
        began = time.monotonic()
        fresh.replace(self.spec)
        return self._port, began

    def until(self, event: str) -> dict[str, Any]:
        assert self.process.stdout
        for line in self.process.stdout:
            found: dict[str, Any] = json.loads(line)
            if found["event"] == event:
                if found.get("ending", "applied") in ("applied", "quiet"):
                    return found
                # An overloaded machine may not answer in time: the watch tries again.
                print(found["ending"], found["message"], file=sys.stderr)
        raise SystemExit("the watch ended")

    def cpu(self) -> float:
        """Seconds of a core so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Resident KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def end(self) -> None:
        self.process.terminate()
        if self.process.communicate(timeout=60) and self.process.returncode:
            raise SystemExit(f"the watch ended with {self.process.returncode}")


@contextmanager
def watching(spec: Path, text: str, *words: str) -> Iterator[Watching]:
    found = Watching(spec, text, *words)
    try:
        found.until("round-ended")
        yield found
    finally:
        found.end()


class Gate:
    """Guests that have no ears: `sender` sends from outside, and what comes out of their taps is heard on their hosts.

    `hosts` are commands to run something there, with the address and MAC of one guest on each.
    """

    def __init__(self, sender: Namespace, hosts: Sequence[tuple[list[str], str]]) -> None:
        self._socket = sender.socket(2)
        self._addresses = [address for _, address in hosts]
        self._ears = [self._ear(inside, address) for inside, address in hosts]

    def _ear(self, inside: list[str], address: str) -> "subprocess.Popen[bytes]":
        found = json.loads(_said(*inside, "ip", "-j", "route", "get", address))[0]
        tap = found["dev"]
        nobody = "02:00:00:00:00:01"
        _said(*inside, "ip", "neigh", "replace", address, "lladdr", nobody, "dev", tap, "nud", "permanent")
        command = [*inside, sys.executable, str(TOP / "bench" / "arrivals.py"), tap]
        ear = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0)
        assert ear.stdout and ear.stdout.readline() == b"ready\n"
        os.set_blocking(ear.stdout.fileno(), False)
        return ear

    def opened(self, port: int) -> float:
        """When the last of the guests could be reached."""
        left = dict(zip(self._addresses, self._ears, strict=True))
        times = []
        while left:
            for address, ear in list(left.items()):
                self._socket.sendto(b"?", (address, port))
                for line in _heard(ear):
                    if line.startswith(f"{port} ".encode()):
                        times.append(float(line.split()[1]))
                        left.pop(address, None)
            time.sleep(0.002)
        return max(times)

    def close(self) -> None:
        self._socket.close()
        for ear in self._ears:
            ear.kill()
            ear.wait()
            if ear.stdout:
                ear.stdout.close()


def _heard(ear: "subprocess.Popen[bytes]") -> list[bytes]:
    """Whole lines: they are short, and written at once."""
    try:
        return os.read(ear.stdout.fileno(), 4096).splitlines() if ear.stdout else []
    except BlockingIOError:
        return []


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def measured(watch: Watching, gate: Gate) -> list[float]:
    """Seconds from each save."""
    found = []
    for _ in range(SAVES):
        port, began = watch.save()
        found.append(gate.opened(port) - began)
        watch.until("round-ended")
        time.sleep(0.2)
    return found


def _grouped(text: str) -> str:
    """Every instance in the group besides its default."""
    return text.replace("image: blank,", "image: blank, security_groups: [default, gate],")


def one_host(folder: Path, count: int) -> tuple[list[float], float]:
    """Latencies, and the share of a core that it takes when nobody saves."""
    outside = Namespace.new("outside")
    try:
        ip("link", "add", "cst-up0", "type", "veth", "peer", "name", "eth0", "netns", outside.name)
        ip("addr", "add", "198.18.7.1/24", "dev", "cst-up0")
        ip("link", "set", "cst-up0", "up")
        outside.ip("addr", "add", "198.18.7.2/24", "dev", "eth0")
        outside.ip("link", "set", "eth0", "up")
        outside.ip("route", "add", "10.20.0.0/24", "via", "198.18.7.1")
        with running_agent():
            spec = blank_cloud(folder, count)
            text = _grouped(spec.read_text())
            try:
                with watching(spec, text, "--every", "60s") as watch, ExitStack() as stack:
                    gate = Gate(outside, [([], _first(spec))])
                    stack.callback(gate.close)
                    found = measured(watch, gate)
                    time.sleep(1)
                    before = watch.cpu()
                    time.sleep(IDLE)
                    return found, (watch.cpu() - before) / IDLE
            finally:
                _said(PROGRAM, "-f", str(spec), "destroy", "-y", "--allow-destroy")
    finally:
        outside.remove()


def _first(spec: Path) -> str:
    rows = json.loads(_said(PROGRAM, "-f", str(spec), "status", "--format", "json"))["instances"]
    return str(rows[0]["addresses"][0])


def three_hosts(it: Hosts) -> list[float]:
    spec = it.write_spec()
    with watching(spec, _grouped(it.spec(count=6))) as watch, ExitStack() as stack:
        rows = json.loads(_said(PROGRAM, "-f", str(spec), "status", "--format", "json"))["instances"]
        at = {row["host"]: row["addresses"][0] for row in rows}
        for name, address in at.items():
            it.underlay.outside.ip("route", "add", f"{address}/32", "via", it.seats[name].address)
        gate = Gate(it.underlay.outside, [(it.inside(name), address) for name, address in at.items()])
        stack.callback(gate.close)
        return measured(watch, gate)


def many_saves(folder: Path, many: int, seconds: float) -> list[int]:
    """KiB that it has after each save; `seconds` are enough."""
    spec = folder / "cloud.yaml"
    with watching(spec, SIM.format(digest="ab" * 32)) as watch:
        sizes: list[int] = []
        end = time.monotonic() + seconds
        while len(sizes) < many and time.monotonic() < end:
            watch.save()
            watch.until("round-ended")
            sizes.append(watch.memory())
        return sizes


def _row(name: str, value: float, unit: str, peer: str, bar: str, holds: bool) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": None, "bar": bar, "holds": holds}


def _latency(name: str, found: list[float], bar: float) -> dict[str, Any]:
    median = statistics.median(found)
    peer = f"{len(found)} saves, {min(found) * 1000:.0f} to {max(found) * 1000:.0f} ms"
    return _row(name, round(median * 1000), "ms", peer, f"median < {bar * 1000:.0f} ms", median < bar)


def _growth(sizes: list[int]) -> dict[str, Any]:
    """Over the last half: what it needs at first is no growth."""
    half = sizes[len(sizes) // 2 :]
    trend = _trend(half) * 1000
    name = f"growth of a watch over the last half of {len(sizes):,} saves of 50 simulated instances"
    peer = f"{sizes[0]:,} KiB after the first save, {half[0]:,} after half of them, {half[-1]:,} after the last"
    return _row(name, round(trend, 1), "KiB per 1,000 saves", peer, f"none: < {GROWTH:.0f}", trend < GROWTH)


def _trend(sizes: Sequence[int]) -> float:
    """KiB a save, as Theil and Sen estimate it: what it takes once, whenever, is no trend."""
    points = list(enumerate(sizes))[:: max(1, len(sizes) // POINTS)]
    return statistics.median((late - early) / (j - i) for (i, early), (j, late) in combinations(points, 2))


def growth(many: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return _growth(many_saves(Path(folder), many, seconds))


def rows() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        found, idle = one_host(Path(folder), 50)
    yield _latency("from a save to the rule in the kernel, one host of 50 instances", found, ONE)
    name = f"a watch --every 60s of 50 instances that nobody gives work, {IDLE:.0f} s"
    yield _row(name, round(idle * 100, 2), "% of a core", "", "< 0.5 %", idle < 0.005)
    with lab(hosts=3) as it:
        yield _latency("from a save to the rule in all kernels of a three-host lab", three_hosts(it), LAB)
    yield growth(MANY, LONG)


def main() -> None:
    found = []
    for row in [growth(MOST, float("inf"))] if "--long" in sys.argv else rows():
        found.append(row)
        print(f"{row['name']}: {row['value']} {row['unit']} ({row['peer']})", file=sys.stderr, flush=True)
    if "--json" in sys.argv:
        print(json.dumps(found))
    sys.stdout.flush()
    os.sync()


if __name__ == "__main__":
    main()
