"""What a lab may leave on the machine that it was on, and who runs in a namespace. Other machines may have labs too."""

import subprocess
from pathlib import Path

from tests.lab.disk import left
from tests.lab.machine import STATE

LISTINGS = ("ip netns", "ip -brief link", "ip -brief -4 address", "ip route", "ip rule", "nft list ruleset")


def processes(namespace: int) -> list[str]:
    """The command lines in a pid namespace. A process that only waits for its parent to notice its end has none."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "ns" / "pid").stat().st_ino == namespace:
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return [line for line in found if line]


def traces() -> dict[str, object]:
    ssh = Path("~root/.ssh").expanduser()
    namespaces = {path.readlink() for path in Path("/proc").glob("[0-9]*/ns/pid") if path.is_symlink()}
    return {
        "listings": [
            subprocess.run(one.split(), capture_output=True, text=True, check=True).stdout for one in LISTINGS
        ],
        "mounts": Path("/proc/self/mountinfo").read_text(),
        "folders": [*left("cloudsync-lab"), *sorted(STATE.iterdir())],
        "namespaces": namespaces,
        "ssh": {path: path.stat().st_mtime_ns for path in [ssh, *ssh.glob("*")] if path.exists()},
    }
