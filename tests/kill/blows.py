"""What can strike besides the end of the controller: a process of a host is killed, or the whole host.

They run in the process of the program, at the moment chosen, so they are values that can be sent there.
"""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.lab.lab import Hosts

PATIENCE = 30.0
DAEMONS = {
    "agent": ("cloudsync", "agent"),
    "libvirtd": ("libvirtd",),
    "dnsmasq": ("dnsmasq",),
    "metadata": ("cloudsync.agent.metadata",),
}
"""What the command line of each begins with, after an interpreter and its options: words, or the ends of paths."""
_BEFORE = 4
"""Words that may stand before: `python -I -m` and the like."""


def children(pid: int) -> list[int]:
    return [int(one) for task in Path(f"/proc/{pid}/task").glob("*/children") for one in task.read_text().split()]


def running(name: str, beside: int | None = None) -> list[int]:
    """A daemon's processes on the host that process `beside` is on, by default this one."""
    mine = Path(f"/proc/{beside or 'self'}/ns/pid").readlink()
    return [pid for pid in _everyone() if _is(pid, DAEMONS[name], mine)]


def _everyone() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").glob("[0-9]*"))


def _is(pid: int, words: tuple[str, ...], namespace: Path) -> bool:
    with suppress(OSError):
        line = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        there = Path(f"/proc/{pid}/ns/pid").readlink() == namespace
        return there and any(_begins(line[at:], words) for at in range(_BEFORE))
    return False


def _begins(line: list[str], words: tuple[str, ...]) -> bool:
    """Anywhere else a word may be an argument: of these very tests, `--ignore=tests/dnsmasq` say."""
    found = zip(line, words, strict=False)
    return len(line) >= len(words) and all(one == word or one.endswith(f"/{word}") for one, word in found)


def fell(name: str, beside: int | None = None) -> None:
    """SIGKILL; returns when they are gone."""
    dying = []
    for pid in running(name, beside):
        with suppress(ProcessLookupError):
            dying.append(os.pidfd_open(pid))
            signal.pidfd_send_signal(dying[-1], signal.SIGKILL)
    for one in dying:
        gone, _, _ = select.select([one], [], [], PATIENCE)
        os.close(one)
        assert gone, f"{name} does not die"


def unplug(folder: Path, host: str) -> None:
    """The power of one of a lab's hosts is gone."""
    lab = Hosts.found(folder)
    assert lab
    lab.stop(host)
