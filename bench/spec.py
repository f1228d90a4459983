"""Whole commands that ask no host: `diff` of 10,000 instances on 1,000 hosts, `reach` over 1,000. `--json` for rows.

The spec is big in all it has: a security group and a placement group for each 20 instances, labels and zones. What
changes in it is one flavor in fifty and one instance more, whose groups it shares with others.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.process import PROGRAM, READING, TYPER, importing, in_turns, process, reading
from bench.scheduler import show

ROUNDS = 7
EACH = 20
"""Instances that are counted under one key, and that share a security group."""
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP0BWYVGVcL0SzFz0G8PQvPqjvCEbTTUZ8eVpKwPXGUe alice@laptop"
_GIT = ("git", "-c", "user.name=bench", "-c", "user.email=bench@example.org")


def spec(count: int, counted: bool, changed: bool = False) -> str:
    """`counted`: EACH instances under one key, else each has its own."""
    groups = count // EACH
    lines = ["version: 1", "cloud: bench", "hosts:", *(_host(number) for number in range(count // 10))]
    lines += [f"images: {{debian: {{source: 'https://example.org/debian.qcow2', sha256: '{'a' * 64}'}}}}"]
    lines += ["networks: {default: {subnet: 10.64.0.0/10}}", "keypairs:", f"  alice: {_KEY}", "flavors:"]
    lines += [f"  f{at}: {{vcpus: {1 + at}, memory: {1 + at}GiB, disk: {4 + at}GiB}}" for at in range(8)]
    lines += ["security_groups:", *(_group(at, groups) for at in range(groups))]
    lines += ["placement_groups:", *(f"  p{at}: {{policy: soft-anti-affinity}}" for at in range(groups))]
    lines += ["instances:"]
    for at in range(groups):
        names = [f"i{at}"] if counted else [f"i{at}x{number}" for number in range(EACH)]
        lines += [_instance(name, at, counted, changed) for name in names]
    lines += ["  extra: {image: debian, flavor: f0, security_groups: [default, g0, g3]}"] if changed else []
    return "\n".join(lines) + "\n"


def _host(at: int) -> str:
    uri = "'sim:?vcpus=64&memory=256GiB&disk=4TiB'"
    return (
        f"  kvm-{at}: {{uri: {uri}, zone: rack-{at // 3 % 10}, labels: {{disk: {'hdd' if at % 10 == 7 else 'nvme'}}}}}"
    )


def _group(at: int, count: int) -> str:
    near = f"{{protocol: tcp, ports: [5432], from: group.g{(at - 1) % count}}}"
    return f"  g{at}:\n    ingress:\n      - {near}\n      - {{protocol: tcp, ports: [443], from: any}}"


def _instance(name: str, at: int, counted: bool, changed: bool) -> str:
    where = [f"group: p{at}"]
    where += [f"zone: rack-{at % 10}"] if at % 3 == 0 else []
    where += ["labels: {disk: nvme}"] if at % 5 == 0 else []
    lines = [f"  {name}:", f"    count: {EACH}"] if counted else [f"  {name}:"]
    flavor = (at + (changed and at % 50 == 0)) % 8
    lines += ["    image: debian", f"    flavor: f{flavor}", "    keypairs: [alice]"]
    return "\n".join([*lines, f"    security_groups: [default, g{at}]", f"    placement: {{{', '.join(where)}}}"])


def rows() -> Iterator[dict[str, Any]]:
    for counted, keys in ((True, 10_000 // EACH), (False, 10_000)):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            (folder / "cloud.yaml").write_text(spec(10_000, counted))
            for line in ("init -q", "add cloud.yaml", "commit -qm one"):
                subprocess.run([*_GIT, *line.split()], cwd=folder, check=True)
            (folder / "cloud.yaml").write_text(spec(10_000, counted, changed=True))
            found = in_turns(lambda: process([PROGRAM, "diff"], folder), reading, ROUNDS)  # noqa: B023
            yield READING.row(f"diff of 10,000 instances under {keys:,} keys, whole process", found, 3.0)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "cloud.yaml").write_text(spec(1_000, True))
        words = [PROGRAM, "reach", "internet", "network.default", "tcp/443"]
        found = in_turns(lambda: process(words, folder), importing, 4 * ROUNDS)
        yield TYPER.row("reach over 1,000 instances, whole process", found, 0.5)


if __name__ == "__main__":
    show(list(rows()))
