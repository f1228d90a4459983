"""Invariants of any plan. A plan that breaks one is a bug of ours: better no plan than that one."""

from collections import Counter
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Plan
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.resources import World
from cloudsync.model.snapshot import HostState
from cloudsync.model.step import CreateInstance, DeleteDisk, DeleteInstance, MoveInstance, PutDocument, UpdateInstance
from cloudsync.planner.disks import ROOT


def audit(plan: Plan, desired: World, hosts: Mapping[str, HostState]) -> None:
    """Raise CloudsyncError naming what is broken."""
    broken = [
        *_graph(plan),
        *_unique(desired),
        *_reaches(plan, desired, hosts),
        *_data(plan, desired, hosts),
        *_secret(plan),
    ]
    if broken:
        raise CloudsyncError("this is a bug in cloudsync: " + "; ".join(broken), "report it with your spec")


def _graph(plan: Plan) -> list[str]:
    ids = Counter(step.id for step in plan.steps)
    found = [f"two steps are called {one}" for one, count in ids.items() if count > 1]
    found += [f"{step.id} waits for nothing known" for step in plan.steps if not ids.keys() >= set(step.waits_for)]
    try:
        TopologicalSorter({step.id: step.waits_for for step in plan.steps}).prepare()
    except CycleError as error:
        found.append(f"steps wait for each other: {error.args[1]}")
    return found


def _unique(desired: World) -> list[str]:
    instances = desired.instances.values()
    claims = {
        "uuid": [one.uuid for one in instances],
        "tap": [nic.tap for one in instances for nic in one.nics],
        "MAC": [nic.mac for one in instances for nic in one.nics],
        "address": [nic.address for one in instances for nic in one.nics],
        "floating address": [address for one in instances for address in one.floating],
        "data disk": [disk.id for one in instances for disk in one.disks],
    }
    return [
        f"two instances have {kind} {value}"
        for kind, values in claims.items()
        for value, count in Counter(values).items()
        if count > 1
    ]


def _reaches(plan: Plan, desired: World, hosts: Mapping[str, HostState]) -> list[str]:
    """After all steps every wanted instance is on record and a machine on its host, and nothing wanted was deleted."""
    documents: dict[str, HostDocument] = {name: host.document for name, host in hosts.items() if host.document}
    machines = {(name, uuid) for name, host in hosts.items() for uuid in host.machines}
    deleted: set[tuple[str, str]] = set()
    for step in plan.steps:
        if isinstance(step, PutDocument):
            latest = documents.get(step.host)
            if latest is None or step.document.generation > latest.generation:
                documents[step.host] = step.document
        elif isinstance(step, CreateInstance | UpdateInstance | MoveInstance):
            machines.add((step.host, step.instance.uuid))
        elif isinstance(step, DeleteInstance):
            deleted.add((step.host, step.uuid))
    recorded = {(name, one.uuid) for name, document in documents.items() for one in document.instances.values()}
    machines -= deleted
    found = []
    for name, one in desired.instances.items():
        found += [f"instance.{name} would not be recorded"] if (one.host, one.uuid) not in recorded else []
        made = name in desired.held or (one.host, one.uuid) in machines
        found += [] if made else [f"instance.{name} would not be made"]
    return found


def _data(plan: Plan, desired: World, hosts: Mapping[str, HostState]) -> list[str]:
    """No data disk goes that an instance is to have where it is, and no other without a change that names it."""
    kept = {disk.id: one.host for one in desired.instances.values() for disk in one.disks}
    there = {disk for host in hosts.values() for disk in host.data}
    there |= {disk.id for host in hosts.values() for one in host.stale.values() for disk in one.data}
    named = sum(name != ROOT for change in plan.changes for name in change.disks)
    going: set[str] = set()
    found = []
    for step in plan.steps:
        ids = step.disks if isinstance(step, DeleteInstance) else ()
        ids = (step.disk.id,) if isinstance(step, DeleteDisk) else ids
        found += [f"{step.id} would delete data disk {one}" for one in ids if kept.get(one) == step.host]
        going |= {one for one in ids if one in there and one not in kept}
    return found + ([f"{len(going)} data disks would go, and changes name {named}"] if len(going) > named else [])


def _secret(plan: Plan) -> list[str]:
    return [
        f"{step.id} carries user-data"
        for step in plan.steps
        if isinstance(step, PutDocument) and step.document.user_data
    ]
