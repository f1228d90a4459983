"""Which hosts may be counted on: the snapshot as this spec sees it. The scheduler and the planner start here."""

from collections.abc import Mapping
from dataclasses import replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.document import GivenUp, HostDocument
from cloudsync.model.resources import DataDisk
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot, Stale, Usage
from cloudsync.scheduler.latest import latest


@latest
def standing(cloud: Cloud, snapshot: Snapshot) -> Mapping[str, HostState]:
    """Every host of the spec in name order: unreachable when the snapshot lacks it, foreign when another cloud has it,
    cordoned or drained when the spec says so.
    """
    return recognised({name: _state(cloud, name, snapshot.hosts.get(name)) for name in sorted(cloud.hosts)})


def given_up(hosts: Mapping[str, HostState]) -> dict[str, GivenUp]:
    """By uuid, as any document says it."""
    documents = [host.document for host in hosts.values() if host.reachable and host.document]
    return {uuid: one for document in documents for uuid, one in document.given_up.items()}


def recognised(hosts: Mapping[str, HostState]) -> dict[str, HostState]:
    """With what was given up while its host was silent set apart: it is no instance any more, and takes room like a
    machine that is not ours. Doing it again changes nothing."""
    gone = given_up(hosts)
    if not gone:
        return dict(hosts)
    return {name: _apart(host, gone) if host.reachable else host for name, host in hosts.items()}


def _apart(host: HostState, gone: Mapping[str, GivenUp]) -> HostState:
    recorded = {one.uuid for one in host.document.instances.values()} if host.document else set()
    there = host.machines.keys() | host.disks | recorded
    found = {uuid: one for uuid, one in gone.items() if one.host == host.name and uuid in there}
    if not found:
        return host
    stale = {
        uuid: Stale(
            name=one.name,
            machine=host.machines.get(uuid),
            has_disk=uuid in host.disks,
            data=_data(host, uuid),
        )
        for uuid, one in sorted(found.items())
    }
    machines = [one.machine for one in stale.values() if one.machine]
    data = {disk.id: disk.size for one in stale.values() for disk in one.data}
    return replace(
        host,
        machines={uuid: machine for uuid, machine in host.machines.items() if uuid not in found},
        disks=host.disks - found.keys(),
        data={name: size for name, size in host.data.items() if name not in data} if data else host.data,
        document=_without(host.document, found),
        foreign=Usage(
            vcpus=host.foreign.vcpus + sum(machine.vcpus for machine in machines),
            memory=host.foreign.memory + sum(machine.memory for machine in machines),
            disk=host.foreign.disk + sum(machine.disk for machine in machines) + sum(data.values()),
        ),
        foreign_names=host.foreign_names | {machine.name for machine in machines},
        stale={**host.stale, **stale},
    )


def _data(host: HostState, uuid: str) -> tuple[DataDisk, ...]:
    """Its data disks that are there, with the sizes that they have."""
    recorded = host.document.instances.values() if host.document else ()
    machine = host.machines.get(uuid)
    known = {disk.id: disk for disk in machine.disks} if machine else {}
    known |= {disk.id: disk for one in recorded if one.uuid == uuid for disk in one.disks}
    there = (replace(disk, size=host.data[name]) for name, disk in known.items() if name in host.data)
    return tuple(sorted(there, key=lambda disk: (disk.name, disk.id)))


def _without(document: HostDocument | None, gone: Mapping[str, GivenUp]) -> HostDocument | None:
    if document is None:
        return None
    kept = {name: one for name, one in document.instances.items() if one.uuid not in gone}
    return document if len(kept) == len(document.instances) else replace(document, instances=kept)


def _state(cloud: Cloud, name: str, seen: HostState | None) -> HostState:
    if seen is None:
        return HostState(name=name, status=HostStatus.UNREACHABLE, reason="it is not in the snapshot")
    document = seen.document
    if seen.reachable and document and document.cloud != cloud.name and not document.released:
        return HostState(name=name, status=HostStatus.FOREIGN, reason=f"it belongs to cloud {document.cloud}")
    return replace(seen, status=cloud.hosts[name].state) if seen.status is HostStatus.READY else seen
