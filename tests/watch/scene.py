"""Simulated hosts under a watch: their spec, what they have, and the beginning that most tests share."""

from pathlib import Path
from typing import Any

from cloudsync.hosts.sim import SimHost
from cloudsync.watch.happening import Ending
from cloudsync.watch.trigger import Reason, Trigger
from tests.watch.watched import SPEC, Watched

OPEN = SPEC.replace("ports: 80", "ports: [80, 443]")


def host(spec: Path, name: str) -> SimHost:
    return SimHost(name, "sim:?vcpus=16&memory=16GiB&disk=100GiB", spec.parent, "demo")


def document(spec: Path) -> Any:
    found = host(spec, "h1").state.document
    assert found
    return found


def doors(found: Any) -> int:
    """Ports that are open."""
    ranges = [rule.ports for rule in found.groups["web"].rules if rule.ports]
    return sum(last - first + 1 for first, last in ranges)


def settled(it: Watched) -> None:
    """The first round, and the look after it."""
    assert it.next().ending is Ending.APPLIED
    look = it.next()
    assert (look.ending, look.triggers) == (Ending.QUIET, (Trigger(Reason.CONFIRM),))
