"""Running machines whose tap is gone, told from those that just start or stop. Called by host.py and examine.py.

libvirt has taps made before a machine runs, and they go when its QEMU ends; it says so a moment later. libvirt and the
agent are asked at once, so what one says may be over when the other looks: only what is seen twice is told.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from cloudsync.hosts.ask import Ask
from cloudsync.model.agent_state import AgentState
from cloudsync.model.checkup import Check, Verdict
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import HostState, Machine

_PATIENCE = 5.0
_PAUSE = 0.5
"""Seconds: for each answer, and between the end of a QEMU and libvirt's word of it."""


def with_lost(
    here: HostState,
    first: AgentState,
    look: Callable[[], AgentState],
    runs: Callable[[], Mapping[str, int]],
    pause: float = _PAUSE,
) -> HostState:
    """`here` with the taps that its machines have lost. `first` is what it was made of; where a tap is missing in that,
    the agent is asked again, and libvirt after it, whether the machine has run all the while."""
    if not lost(here.machines, first.taps):
        return here
    late: list[str] = []
    again = Ask(f"the agent of host {here.name}", look).collect(_PATIENCE, late)
    time.sleep(pause)
    still = Ask(f"libvirt of host {here.name}", runs).collect(_PATIENCE, late)
    if again is None or still is None:
        return here
    kept = {uuid for uuid, run in here.runs.items() if still.get(uuid) == run}
    gone = {uuid: taps for uuid, taps in lost(here.machines, again.taps).items() if uuid in kept}
    machines = {
        uuid: replace(machine, lost=gone[uuid]) if uuid in gone else machine for uuid, machine in here.machines.items()
    }
    return replace(here, machines=machines)


def lost(machines: Mapping[str, Machine], there: Collection[str] | None) -> dict[str, tuple[str, ...]]:
    """By uuid, taps of ours that a running machine is to have and that are not among `there`. One that is paused may be
    about to begin, or about to leave. Nothing where nobody says what is there."""
    if there is None:
        return {}
    known = frozenset(there)
    missing = {
        uuid: tuple(tap for tap, _, _ in machine.nics if tap.startswith("cs-") and tap not in known)
        for uuid, machine in machines.items()
        if machine.power is Power.RUNNING
    }
    return {uuid: taps for uuid, taps in missing.items() if taps}


def cut_off(here: HostState) -> Iterator[Check]:
    """What `doctor` says of machines that have lost some; nothing where none has."""
    for machine in sorted(here.machines.values(), key=lambda one: one.name):
        if machine.lost:
            text = f"instance.{machine.name} has lost its tap: {', '.join(machine.lost)}"
            hint = f"only a restart brings it back: cloudsync reboot {machine.name}"
            yield Check(name="taps", verdict=Verdict.PROBLEM, message=text, hint=hint)
