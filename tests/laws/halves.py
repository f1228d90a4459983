"""What hosts may hold when a step is cut off inside: the states between the calls that a real host makes of it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cloudsync.hosts.sim_state import SimState, perform
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import Usage
from cloudsync.model.step import CreateInstance, DeleteInstance, MoveInstance, Step, UpdateInstance

States = Mapping[str, SimState]
_ROOM = Usage(vcpus=1 << 20, memory=1 << 50, disk=1 << 50)


def halves(step: Step, states: States) -> Iterator[States]:
    """From `states`, as they are before it. Steps that one call does have none."""
    here = states[step.host]
    if isinstance(step, MoveInstance):
        yield from _moves(step, states)
    elif isinstance(step, CreateInstance | UpdateInstance):
        for half in _writes(step, here):
            yield {**states, step.host: half}
    elif isinstance(step, DeleteInstance) and step.uuid in here.machines:
        yield {**states, step.host: _off(here, step.uuid)}
        yield {**states, step.host: _without(here, step.uuid)}


def _writes(step: CreateInstance | UpdateInstance, here: SimState) -> Iterator[SimState]:
    """Its disk, or itself off; then written; then about to start. One that grows as it runs: its disk."""
    uuid = step.instance.uuid
    if isinstance(step, UpdateInstance) and step.live:
        grown = replace(here.machines[uuid], disk=step.instance.disk)
        disks = {**here.disks, uuid: step.instance.disk}
        yield replace(here, machines={**here.machines, uuid: grown}, disks=disks)
        return
    yield _off(here, uuid) if uuid in here.machines else _with_disk(here, step, here.disks.get(uuid, 0))
    written = perform(here, replace(step, instance=replace(step.instance, state=Power.STOPPED)), _ROOM)
    yield written
    yield replace(written, started=written.started | {uuid})


def _moves(step: MoveInstance, states: States) -> Iterator[States]:
    uuid, source, target = step.instance.uuid, states[step.source], states[step.host]
    disk = _with_disk(_without(target, uuid), step, source.disks[uuid])
    yield {**states, step.host: disk}
    if step.live:
        return
    stopped = _off(source, uuid)
    yield {**states, step.source: stopped}
    yield {**states, step.source: stopped, step.host: disk}
    create = CreateInstance(
        id=step.id,
        host=step.host,
        address=step.address,
        instance=replace(step.instance, state=Power.STOPPED),
        gateways=step.gateways,
        cloud=step.cloud,
        generation=step.generation,
    )
    there = perform(disk, create, _ROOM)
    yield {**states, step.source: stopped, step.host: there}
    yield {**states, step.source: _without(stopped, uuid), step.host: there}
    yield {**states, step.source: _without(stopped, uuid), step.host: replace(there, started=there.started | {uuid})}


def _with_disk(state: SimState, step: CreateInstance | UpdateInstance | MoveInstance, size: int) -> SimState:
    one = step.instance
    disks = {**state.disks, one.uuid: max(size, one.disk)}
    return replace(state, disks=disks, bases={**state.bases, one.uuid: one.image})


def _off(state: SimState, uuid: str) -> SimState:
    machine = state.machines.get(uuid)
    if machine is None:
        return state
    return replace(state, machines={**state.machines, uuid: replace(machine, power=Power.STOPPED)})


def _without(state: SimState, uuid: str) -> SimState:
    """Its machine; the disk stays."""
    return replace(state, machines={name: one for name, one in state.machines.items() if name != uuid})
