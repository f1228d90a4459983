"""What libvirt and the agent of one host say, as one HostState. Called by host.py when both have answered."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from cloudsync import __version__
from cloudsync.hosts.claim import foreign
from cloudsync.hosts.libvirt.survey import Survey
from cloudsync.model.agent_state import AgentState
from cloudsync.model.cloud import Host
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.snapshot import HostState, HostStatus, Machine
from cloudsync.model.version import upgrade


def merged(wanted: Host, cloud: str, found: Survey, state: AgentState, virt: Callable[[], str]) -> HostState:
    """`virt` says which kind of machines the host is to have; it raises when it cannot be what the spec says."""
    obstacle = _obstacle(wanted, cloud, found, state, virt)
    if obstacle is not None:
        return HostState(name=wanted.name, status=obstacle[0], reason=obstacle[1])
    return HostState(
        name=wanted.name,
        status=HostStatus.READY,
        arch=found.arch,
        # libvirt knows the size that the file system had when the pool was started.
        capacity=replace(found.capacity, disk=state.pool_size or found.capacity.disk),
        foreign=found.foreign,
        foreign_names=found.foreign_names,
        marked=found.marked,
        document=state.document,
        machines={uuid: _with_disk(machine, state).sized(state.data) for uuid, machine in found.machines.items()},
        images=state.images,
        free=state.pool_free,
        image_disks={sha256: done.virtual_size for sha256, done in state.image_info.items()},
        partial=frozenset(state.partial),
        disks=frozenset(state.disks),
        data=state.data,
        occupied=state.occupied,
        drift=state.drift,
        obstacles=state.obstacles,
        boots=state.boots,
        mtus=state.mtus,
        uuid=found.uuid,
        tls=state.tls,
        runs=found.runs,
        applied=state.applied.get(cloud),
        cut_off=state.cut_off.get(cloud, frozenset()),
    )


def skew(at: str, began: datetime, ended: datetime) -> float:
    """Seconds that a clock which said `at` somewhere in between is ahead of ours; 0 when it does not say."""
    try:
        there = datetime.fromisoformat(at)
        return (there - ended).total_seconds() if there > ended else min(0.0, (there - began).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _obstacle(
    wanted: Host, cloud: str, found: Survey, state: AgentState, virt: Callable[[], str]
) -> tuple[HostStatus, str] | None:
    apart = upgrade(__version__, state.version)
    if apart:
        return HostStatus.UNFIT, apart
    another = foreign(state.document, cloud, wanted.name)
    if another:
        return HostStatus.FOREIGN, another
    if found.arch != "x86_64":
        return HostStatus.UNFIT, f"it is {found.arch}; only x86_64 hosts can be used yet"
    if wanted.virt == "kvm":
        try:
            virt()
        except CloudsyncError as error:
            return HostStatus.UNFIT, f"{error.message}; {error.hint}"
    return None


def _with_disk(machine: Machine, state: AgentState) -> Machine:
    """The domain says how big its disk was made; whether it is there and how big it is, the agent."""
    disk = state.disks.get(machine.uuid)
    return replace(machine, disk=0 if disk is None else disk.size or machine.disk)
