"""Where instances live already, by what every document and every machine says."""

from collections.abc import Mapping
from dataclasses import dataclass

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.resources import Instance
from cloudsync.model.snapshot import Machine, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """An instance that exists, by its recorded name. `record` is the document's, `machine` what libvirt has.

    `known` is False when its host cannot be asked: then only the directory speaks of it.
    """

    name: str
    uuid: str
    host: str
    addresses: tuple[str, ...]
    record: Instance | None = None
    machine: Machine | None = None
    known: bool = True


def homes(snapshot: Snapshot) -> dict[str, Home]:
    """Every instance of the cloud by name. A record beats a machine's own mark, a reachable host beats a directory."""
    found: dict[str, Home] = {}
    for name, host in sorted(snapshot.hosts.items()):
        if not host.reachable:
            continue
        recorded = host.document.instances if host.document else {}
        for record in recorded.values():
            addresses = tuple(nic.address for nic in record.nics)
            machine = host.machines.get(record.uuid)
            found[record.name] = Home(
                name=record.name, uuid=record.uuid, host=name, addresses=addresses, record=record, machine=machine
            )
        uuids = {record.uuid for record in recorded.values()}
        for machine in host.machines.values():
            if machine.uuid not in uuids:
                addresses = tuple(address for _, _, address in machine.nics)
                home = Home(name=machine.name, uuid=machine.uuid, host=name, addresses=addresses, machine=machine)
                found.setdefault(machine.name, home)
    return {**_out_of_reach(snapshot), **found}


def home_of(wanted: Wanted, cloud: Cloud, existing: Mapping[str, Home]) -> Home | None:
    """The wanted instance's own home, else that of a name it may be renamed from."""
    if wanted.name in existing:
        return existing[wanted.name]
    for old in wanted.was:
        if old in existing and old not in cloud.instances:
            return existing[old]
    return None


def _out_of_reach(snapshot: Snapshot) -> dict[str, Home]:
    """What the directories say of hosts that cannot be asked."""
    found: dict[str, Home] = {}
    documents = [host.document for host in snapshot.hosts.values() if host.reachable and host.document]
    for document in sorted(documents, key=lambda one: (one.applied.at, one.host)):
        for name, entry in document.directory.items():
            there = snapshot.hosts.get(entry.host)
            if there is not None and not there.reachable:
                found[name] = Home(name=name, uuid=entry.uuid, host=entry.host, addresses=entry.addresses, known=False)
    return found
