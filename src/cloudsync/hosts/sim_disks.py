"""Data disks of a simulated host: made, grown, and in one machine at a time. Pure; called by sim_state.py."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import HostError
from cloudsync.model.resources import MOST_DISKS, Instance
from cloudsync.model.snapshot import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class SimDisk:
    """`made` tells it from one that was made empty in its place."""

    size: int
    made: str


def as_wanted(data: Mapping[str, SimDisk], made: int, host: str, instance: Instance) -> tuple[dict[str, SimDisk], int]:
    """By id, with the instance's as large as wanted, and how many were made by then: what is there is kept."""
    found = dict(data)
    for disk in instance.disks:
        if disk.id not in found:
            made += 1
            found[disk.id] = SimDisk(size=0, made=f"{host}-{made}")
        found[disk.id] = replace(found[disk.id], size=max(found[disk.id].size, disk.size))
    return found, made


def confirm_free(machines: Iterable[Machine], host: str, instance: Instance) -> None:
    """HostError when another machine has one of its disks: QEMU lets no two open one."""
    wanted = {disk.id for disk in instance.disks}
    for other in machines:
        if other.uuid != instance.uuid and not wanted.isdisjoint(other.attached):
            raise HostError(f"{host}: {other.name} has a data disk of {instance.name} open", "stop that one first")


def parted(machine: Machine, disk: str) -> Machine:
    """Every guest lets go of what it is asked for."""
    attached = machine.attached - {disk}
    disks = tuple(one for one in machine.disks if one.id != disk)
    return replace(machine, disks=disks, attached=attached, ports=MOST_DISKS - len(attached))
