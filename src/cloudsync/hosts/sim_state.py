"""What a simulated host holds, and what each step does to it: state in, state out, refusing what real hosts refuse."""

from collections.abc import Mapping
from dataclasses import field, replace
from typing import TypeVar

from cloudsync.hosts.sim_disks import SimDisk, as_wanted, confirm_free, parted
from cloudsync.model.dataclass import dataclass
from cloudsync.model.delta import difference, patched
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError, StaleError
from cloudsync.model.resources import Instance, Power
from cloudsync.model.snapshot import Machine, Usage
from cloudsync.model.spare import shortage
from cloudsync.model.step import (
    AwaitInstance,
    CreateInstance,
    DeleteDisk,
    DeleteImage,
    DeleteInstance,
    MoveInstance,
    PutDocument,
    PutImage,
    StartInstance,
    Step,
    StopInstance,
    UpdateInstance,
)

T = TypeVar("T")
IMAGE_SIZE = 1 << 20
"""Every simulated image takes 1 MiB of the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A machine that is not ours."""

    name: str
    vcpus: int = 1
    memory: int = 0
    disk: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimState:
    """`disks` maps an instance's uuid to its root disk's size in bytes, `bases` to the sha256 of what it stands on;
    `data` are data disks by id, `made` is how many were made here;
    `images` maps a sha256 to its file's size. `started` are uuids of machines that ran once; `runs` numbers the process
    of each that runs, and `last_run` was given last. `silent` are names of those whose guests say nothing. `down` is
    why the host cannot be reached, empty while it can. `most` is what each machine may grow to after its next start.
    """

    document: HostDocument | None = None
    machines: Mapping[str, Machine] = field(default_factory=dict)
    disks: Mapping[str, int] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, SimDisk] = field(default_factory=dict)
    made: int = 0
    images: Mapping[str, int] = field(default_factory=dict)
    foreign: tuple[Foreign, ...] = ()
    started: frozenset[str] = frozenset()
    runs: Mapping[str, int] = field(default_factory=dict)
    last_run: int = 0
    silent: frozenset[str] = frozenset()
    down: str = ""
    most: Mapping[str, Usage] = field(default_factory=dict)


def perform(state: SimState, step: Step, capacity: Usage) -> SimState:
    """The state after `step`; repeating a step changes nothing."""
    match step:
        case PutDocument():
            return _put_document(state, step)
        case PutImage():
            return _put_image(state, step, capacity)
        case DeleteImage():
            return _delete_image(state, step.sha256)
        case CreateInstance():
            return _create(state, step, capacity)
        case UpdateInstance():
            return _update(state, step, capacity)
        case StartInstance() | StopInstance():
            return _power(state, step)
        case MoveInstance() | AwaitInstance():
            raise HostError(f"{step.host}: {step.kind} is no step of one moment", "this is a bug in cloudsync")
        case DeleteInstance():
            return _deleted(state, step.uuid, step.disks)
        case DeleteDisk():
            return _delete_disk(state, step)


def counted(before: SimState, after: SimState, step: Step) -> SimState:
    """With a new number for each machine that came to run, or was stopped and started, in `step`."""
    anew = step.instance.uuid if isinstance(step, UpdateInstance) and not step.live else ""
    runs, last = {}, before.last_run
    for uuid, machine in after.machines.items():
        if machine.power in (Power.RUNNING, Power.PAUSED):
            old = before.runs.get(uuid) if uuid != anew else None
            last += old is None
            runs[uuid] = old or last
    return replace(after, runs=runs, last_run=last)


def received(state: SimState, source: SimState, step: MoveInstance, capacity: Usage) -> SimState:
    """The target's state after a move; of what an earlier one left there nothing is kept."""
    uuid, instance = step.instance.uuid, step.instance
    machine = source.machines.get(uuid)
    if uuid not in source.disks:
        raise HostError(f"{step.source}: the disk of {instance.name} is not there", "plan again")
    if step.live and (machine is None or machine.power is Power.STOPPED):
        raise HostError(f"{step.source}: {instance.name} does not run any more", "plan again")
    lost = [disk for disk in step.carries if disk not in source.data]
    if lost:
        raise HostError(f"{step.source}: the disk {lost[0]}.data.qcow2 is missing", "put it back, then plan again")
    clean = _deleted(state, uuid, tuple(disk.id for disk in instance.disks))
    clean = replace(clean, data={**clean.data, **{disk: source.data[disk] for disk in step.carries}})
    started = clean.started | ({uuid} & source.started)
    ready = replace(clean, disks={**clean.disks, uuid: source.disks[uuid]}, started=started)
    arrived = _create(ready, step, capacity)
    return _as_started(arrived, machine) if step.live and machine else arrived


def _deleted(state: SimState, uuid: str, data: tuple[str, ...]) -> SimState:
    return replace(
        state,
        machines=_without(state.machines, uuid),
        disks=_without(state.disks, uuid),
        bases=_without(state.bases, uuid),
        data={one: disk for one, disk in state.data.items() if one not in data},
    )


def _delete_disk(state: SimState, step: DeleteDisk) -> SimState:
    machine = state.machines.get(step.uuid)
    machines = {**state.machines, step.uuid: parted(machine, step.disk.id)} if machine else state.machines
    return replace(state, machines=machines, data=_without(state.data, step.disk.id))


def _with_data(state: SimState, host: str, instance: Instance, capacity: Usage) -> SimState:
    confirm_free(state.machines.values(), host, instance)
    data, made = as_wanted(state.data, state.made, host, instance)
    more = sum(disk.size for disk in data.values()) - sum(disk.size for disk in state.data.values())
    _need_disk(state, host, more, capacity)
    return replace(state, data=data, made=made)


def sent(state: SimState, step: MoveInstance) -> SimState:
    """The source's state after a move: its disk stays until the plan removes it."""
    return replace(state, machines=_without(state.machines, step.instance.uuid))


def _put_document(state: SimState, step: PutDocument) -> SimState:
    old = state.document
    if old and old.cloud != step.document.cloud and (old.instances or old.keypairs or old.groups):
        raise HostError(f"{step.host} belongs to cloud {old.cloud}, not {step.document.cloud}", "use another host")
    generation = old.generation if old else 0
    if generation == step.base + 1 and old == step.document:
        return state
    if generation != step.base:
        raise StaleError(f"{step.host}: its document is at generation {generation}, not {step.base}", "plan again")
    known = {one.uuid for one in step.document.instances.values()}
    return replace(state, document=delivered(old, step.document), started=state.started & known)


def delivered(old: HostDocument | None, document: HostDocument) -> HostDocument:
    """As it arrives: as a delta to what is there."""
    if old is None or (old.cloud, old.host) != (document.cloud, document.host):
        return document
    return patched(old, difference(old, document))


def _delete_image(state: SimState, sha256: str) -> SimState:
    users = sorted(uuid for uuid, base in state.bases.items() if base == sha256)
    if users:
        raise HostError(f"image {sha256[:12]} is in use by the disks of {', '.join(users)}", "delete them first")
    return replace(state, images=_without(state.images, sha256))


def _create(state: SimState, step: CreateInstance | MoveInstance, capacity: Usage) -> SimState:
    instance = step.instance
    if instance.image not in state.images:
        raise HostError(f"{step.host}: image {instance.image_name} is not in the cache", "apply again")
    _need_record(state, step.host, instance)
    _need_name(state, step.host, instance)
    size = max(state.disks.get(instance.uuid, 0), instance.disk)
    _need_disk(state, step.host, size - state.disks.get(instance.uuid, 0), capacity)
    return _written(_with_data(state, step.host, instance, capacity), step, size)


def _update(state: SimState, step: UpdateInstance, capacity: Usage) -> SimState:
    instance = step.instance
    if instance.uuid not in state.machines:
        raise HostError(f"{step.host}: {instance.name} is gone", "plan again: it will be made anew")
    size = state.disks.get(instance.uuid, 0)
    if instance.disk < size:
        raise HostError(f"{instance.name}: a disk cannot shrink", "make the flavor's disk larger again")
    _need_record(state, step.host, instance)
    _need_name(state, step.host, instance)
    _need_disk(state, step.host, instance.disk - size, capacity)
    before = state.machines[instance.uuid]
    if step.live and before.power is not Power.STOPPED:
        _need_growth(step.host, before, instance)
    written = _written(_with_data(state, step.host, instance, capacity), step, instance.disk)
    return _as_started(written, before) if step.live else written


def _as_started(state: SimState, before: Machine) -> SimState:
    """It runs on, with the room that it was started with; one that is off goes on later where it would have."""
    machine = state.machines[before.uuid]
    if before.power is Power.STOPPED:
        traces = replace(machine.traces, why=before.traces.why, saved=before.traces.saved)
        machine = replace(machine, traces=traces)
    else:
        machine = replace(machine, max_vcpus=before.max_vcpus, max_memory=before.max_memory)
    return replace(state, machines={**state.machines, machine.uuid: machine})


def _need_growth(host: str, before: Machine, instance: Instance) -> None:
    if instance.vcpus < before.vcpus or instance.memory < before.memory:
        raise HostError(f"{host}: {instance.name} is bigger by now than it is to be", "plan again")
    if instance.vcpus > max(before.vcpus, before.max_vcpus) or instance.memory > max(before.memory, before.max_memory):
        raise HostError(f"{host}: {instance.name} cannot grow while it runs: there is no room", "stop it, then apply")


def _written(state: SimState, step: CreateInstance | UpdateInstance | MoveInstance, disk: int) -> SimState:
    """The domain is written and in the state that it is to be in."""
    instance = step.instance
    machine = Machine.written(
        instance, cloud=step.cloud, generation=step.generation, gateways=step.gateways, most=step.most, disk=disk
    )
    machine = replace(machine, autostart=step.autostart)
    machines = {**state.machines, machine.uuid: machine}
    bases = {machine.uuid: instance.image, **state.bases}
    most = {**state.most, machine.uuid: Usage(vcpus=machine.max_vcpus, memory=machine.max_memory)}
    written = replace(state, machines=machines, disks={**state.disks, machine.uuid: disk}, bases=bases, most=most)
    return _noted(written, machine)


def free(state: SimState, capacity: Usage) -> int:
    """Disks take none of it as long as nobody writes to them."""
    return capacity.disk - sum(state.images.values())


def _put_image(state: SimState, step: PutImage, capacity: Usage) -> SimState:
    lacks = "" if step.image.sha256 in state.images else shortage(IMAGE_SIZE, free(state, capacity))
    if lacks:
        raise HostError(f"{step.host}: the pool is full: {lacks}", "write a bigger disk= into the host's URI")
    return replace(state, images={**state.images, step.image.sha256: IMAGE_SIZE})


def _power(state: SimState, step: StartInstance | StopInstance) -> SimState:
    if step.uuid not in state.machines:
        raise HostError(f"{step.address} is gone", "plan again: it will be made anew")
    before = state.machines[step.uuid]
    power = Power.RUNNING if isinstance(step, StartInstance) else Power.STOPPED
    autostart = power is Power.RUNNING if step.for_good else before.autostart
    traces = replace(before.traces, why="", saved=False)
    machine = replace(before, power=power, autostart=autostart, lost=(), traces=traces)
    if step.uuid in state.most and Power.STOPPED in (power, before.power):
        most = state.most[step.uuid]
        machine = replace(machine, max_vcpus=most.vcpus, max_memory=most.memory)
    return _noted(replace(state, machines={**state.machines, step.uuid: machine}), machine)


def _noted(state: SimState, machine: Machine) -> SimState:
    return replace(state, started=state.started | {machine.uuid}) if machine.power is Power.RUNNING else state


def _need_record(state: SimState, host: str, instance: Instance) -> None:
    """A guest asks for its metadata once, early: its record must be there before its CPU runs."""
    known = state.document.instances.get(instance.name) if state.document else None
    if known is None or known.uuid != instance.uuid:
        raise HostError(f"{host}: the document does not know {instance.name} yet", "apply again")


def _need_name(state: SimState, host: str, instance: Instance) -> None:
    theirs = {foreign.name for foreign in state.foreign}
    ours = {machine.name for machine in state.machines.values() if machine.uuid != instance.uuid}
    if instance.name in theirs:
        raise HostError(f"{host}: a machine called {instance.name} is there and is not ours", "rename one of the two")
    if instance.name in ours:
        raise HostError(f"{host}: another machine is called {instance.name}", "apply again")


def _need_disk(state: SimState, host: str, more: int, capacity: Usage) -> None:
    taken = sum(state.disks.values()) + sum(foreign.disk for foreign in state.foreign)
    taken += sum(disk.size for disk in state.data.values())
    if taken + more > capacity.disk:
        raise HostError(f"{host}: the pool is full: needs {more} bytes, free {capacity.disk - taken}", "make room")


def _without(mapping: Mapping[str, T], key: str) -> dict[str, T]:
    return {name: value for name, value in mapping.items() if name != key}
