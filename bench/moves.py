"""A TCP stream and a ping to a guest while it moves between two hosts of the lab and back, under emulation.

In tests/lab/private.py; `--json` for rows.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.guest import ADDRESS, DISK
from tests.lab.host import CLOUDSYNC
from tests.lab.lab import Hosts, lab

FLOATING = "198.51.100.50"
BAR = 3.0
SPEC = """\
version: 1
cloud: lab
hosts:
{hosts}
images:
  echo: {{source: 'file:{image}', format: raw}}
networks:
  default: {{subnet: 10.20.0.0/24}}
flavors:
  small: {{vcpus: 1, memory: 160MiB, disk: 48MiB}}
keypairs: {{}}
security_groups:
  echo: {{ingress: [{{protocol: tcp, ports: 7, from: any}}, {{protocol: icmp, from: any}}]}}
instances:
  box:
    image: echo
    flavor: small
    networks: [{{name: default, address: {address}}}]
    security_groups: [echo]
    floating_ip: {floating}
    placement: {{host: {host}}}
"""


class Watch:
    """Echoes of a stream or a ping, from outside, until it is told to stop; the longest silence between two."""

    def __init__(self, it: Hosts, kind: str) -> None:
        command = ["ip", "netns", "exec", it.underlay.outside.name, sys.executable, "-m", "bench.silence", kind]
        self._process = subprocess.Popen([*command, FLOATING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        assert self._process.stdout.readline() == "begun\n", f"no {kind}"

    def end(self) -> tuple[float, bool]:
        """Seconds, and whether the connection lived on."""
        said = self._process.communicate("\n", timeout=60)[0].split()
        return float(said[0]), said[1] == "whole"


def apply(it: Hosts, image: Path, host: str) -> None:
    lines = [f"  {name}: {{uri: '{it.uri(name)}', address: {seat.address}}}" for name, seat in it.seats.items()]
    text = SPEC.format(hosts="\n".join(lines), image=image, host=host, address=ADDRESS, floating=FLOATING)
    spec = it.write_spec(text)
    done = subprocess.run([CLOUDSYNC, "-f", spec, "apply", "-y"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


def measure(it: Hosts, image: Path) -> dict[str, list[tuple[float, bool]]]:
    apply(it, image, "h1")
    found: dict[str, list[tuple[float, bool]]] = {"stream": [], "ping": []}
    for host in ("h2", "h1", "h2"):
        watches = {kind: Watch(it, kind) for kind in found}
        apply(it, image, host)
        for kind, watch in watches.items():
            found[kind].append(watch.end())
    return found


def main() -> None:
    with lab(hosts=2) as it:
        found = measure(it, DISK)
    rows = []
    for kind, seen in found.items():
        worst = max(silence for silence, _ in seen)
        rows.append(
            {
                "name": f"longest silence of a {kind} to a guest that moves live, 3 moves",
                "value": round(worst, 2),
                "unit": "s",
                "peer": "",
                "ratio": None,
                "bar": f"< {BAR} s, none lost",
                "holds": worst < BAR and all(whole for _, whole in seen),
            }
        )
    print(json.dumps(rows) if "--json" in sys.argv else "\n".join(f"{row['name']}: {row['value']} s" for row in rows))
    sys.stdout.flush()
    os.sync()


if __name__ == "__main__":
    main()
