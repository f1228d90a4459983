"""What a running machine cannot take in of the sizes that it is to have, and what its guest makes of those it can.

Pure; called by act.py. A guest is only counted on where it has said so itself.
"""

from collections.abc import Iterator

from cloudsync.model.growth import block
from cloudsync.model.resources import Instance
from cloudsync.model.size import size
from cloudsync.model.snapshot import Machine
from cloudsync.planner.seen import Pair

DISK = "the guest sees the bigger disk at once, and its file system fills it at its next boot"
VCPUS = "a guest that leaves new vCPUs unused until then has them at its next boot"


def hindrances(pair: Pair) -> tuple[str, ...]:
    """Why the machine has to be started anew to have the sizes that are wanted; empty when it has not."""
    wanted, machine = pair.wanted, pair.machine
    return (*_of_vcpus(machine, wanted), *_of_memory(machine, wanted, _grows(pair))) if wanted and machine else ()


def told(pair: Pair) -> tuple[str, ...]:
    """What the person should know of one that grows while it runs."""
    wanted, machine = pair.wanted, pair.machine
    if wanted is None or machine is None:
        return ()
    disk = (DISK,) if wanted.disk > machine.disk else ()
    return (*disk, VCPUS) if wanted.vcpus > machine.vcpus and not _grows(pair) else disk


def _of_vcpus(machine: Machine, wanted: Instance) -> Iterator[str]:
    if wanted.vcpus < machine.vcpus:
        yield "vCPUs are only taken away by a restart"
    elif wanted.vcpus > max(machine.vcpus, machine.max_vcpus):
        yield _no_room(str(machine.max_vcpus), "vCPUs", machine.max_vcpus > machine.vcpus)


def _of_memory(machine: Machine, wanted: Instance, grows: bool) -> Iterator[str]:
    if wanted.memory < machine.memory:
        yield "memory is only taken away by a restart"
    elif wanted.memory > max(machine.memory, machine.max_memory):
        yield _no_room(size(machine.max_memory), "memory", machine.max_memory > machine.memory)
    elif (wanted.memory - machine.memory) % block(machine.memory):
        yield f"memory is added to a running guest in whole multiples of {size(block(machine.memory))}"
    elif wanted.memory > machine.memory and not grows:
        yield "its guest has not said that it takes in memory while it runs"


def _no_room(most: str, what: str, some: bool) -> str:
    if some:
        return f"it was started with room for {most}{'' if what == 'vCPUs' else ' of'} {what}"
    return f"it was started without room for more {what}"


def _grows(pair: Pair) -> bool:
    boot = pair.source.boots.get(pair.home.uuid) if pair.home else None
    return boot is not None and boot.grows
