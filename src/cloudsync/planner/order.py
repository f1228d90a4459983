"""Steps and what each waits for: room, the document, machines, what goes, the document without what went."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.document import Applied, HostDocument
from cloudsync.model.plan import (
    CreateInstance,
    DeleteImage,
    DeleteInstance,
    PutDocument,
    PutImage,
    StartInstance,
    Step,
    StopInstance,
    UpdateInstance,
)
from cloudsync.model.resources import Instance, Power
from cloudsync.model.snapshot import HostState, Machine
from cloudsync.planner.documents import Whole, claims, content, final, with_doomed
from cloudsync.planner.images import Drop, Fetch
from cloudsync.planner.seen import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Everything about one host."""

    cloud: Cloud
    host: HostState
    pairs: tuple[Pair, ...]
    fetches: tuple[Fetch, ...]
    drops: tuple[Drop, ...]
    shared: Whole
    applied: Applied
    drifted: bool


def steps(work: Work) -> tuple[Step, ...]:
    """All steps on one host, none when it is as it should be."""
    doomed = [pair for pair in work.pairs if pair.home and (pair.wanted is None or pair.replaced)]
    early = [pair for pair in doomed if _in_the_way(pair, work.pairs)]
    late = [pair for pair in doomed if pair not in early]
    first = [_delete(pair) for pair in early]
    last = [_delete(pair) for pair in late]
    prepare, settle = _documents(work, late, first, last)
    images = [_fetch(work, fetch) for fetch in work.fetches]
    before = tuple(step.id for step in [*([prepare] if prepare else []), *images])
    needs_room = tuple(step.id for step in last) if _crowded(work) else ()
    generation = work.host.generation + (1 if prepare else 0)
    machines = [
        step
        for pair in work.pairs
        if pair.wanted
        for step in _machine(work, pair, pair.wanted, generation, (*before, *(one.id for one in first), *needs_room))
    ]
    documents = [step for step in (prepare, settle) if step]
    gone = tuple(step.id for step in [*first, *last, *documents])
    drops = [
        DeleteImage(
            id=f"{drop.host}/image.{drop.name}/delete-{drop.sha256[:12]}",
            host=drop.host,
            address=f"image.{drop.name}",
            waits_for=gone,
            sha256=drop.sha256,
        )
        for drop in work.drops
    ]
    return (*first, *documents, *images, *machines, *last, *drops)


def _documents(
    work: Work, late: list[Pair], first: list[DeleteInstance], last: list[DeleteInstance]
) -> tuple[PutDocument | None, PutDocument | None]:
    """The document while the doomed still run, and the one without them; None where nothing is to be put."""
    goal = final(work.shared, work.host.name)
    if not claims(work.host, goal):
        return None, None
    base, there = work.host.generation, content(work.host.document)
    during = with_doomed(goal, late)
    prepare = settle = None
    if during != there or work.drifted:
        prepare = _put(work, "document", during, base, tuple(step.id for step in first))
        base += 1
    if during != goal:
        waits = tuple(step.id for step in last) + ((prepare.id,) if prepare else ())
        settle = _put(work, "document-settled", goal, base, waits)
    return prepare, settle


def _put(work: Work, word: str, document: HostDocument, base: int, waits_for: tuple[str, ...]) -> PutDocument:
    name = work.host.name
    filled = replace(document, generation=base + 1, applied=work.applied)
    return PutDocument(
        id=f"{name}/{word}", host=name, address=f"host.{name}", waits_for=waits_for, document=filled, base=base
    )


def _in_the_way(doomed: Pair, pairs: tuple[Pair, ...]) -> bool:
    """Whether something new takes its name or one of its addresses."""
    home = doomed.home
    if home is None:
        return False
    for pair in pairs:
        wanted = pair.wanted
        if wanted and wanted.uuid != home.uuid:
            names = {home.name, home.machine.name if home.machine else home.name}
            if wanted.name in names or {nic.address for nic in wanted.nics} & set(home.addresses):
                return True
    return False


def _crowded(work: Work) -> bool:
    """Whether what comes only fits once what goes has gone."""
    raw, kept, ratio = work.host.capacity, work.cloud.hosts[work.host.name].reserved, work.cloud.hosts
    over = ratio[work.host.name].overcommit
    machines = {machine.uuid: (machine.memory, machine.disk) for machine in work.host.machines.values()}
    for pair in work.pairs:
        if pair.wanted:
            machines[pair.wanted.uuid] = (pair.wanted.memory, pair.wanted.disk)
    memory = work.host.foreign.memory + sum(one for one, _ in machines.values())
    disk = work.host.foreign.disk + sum(one for _, one in machines.values())
    return memory > (raw.memory - kept.memory) * over.memory or disk > (raw.disk - kept.disk) * over.disk


def _fetch(work: Work, fetch: Fetch) -> PutImage:
    name = fetch.image.name
    address = f"image.{name}"
    return PutImage(id=f"{work.host.name}/{address}", host=work.host.name, address=address, image=fetch.image)


def _delete(pair: Pair) -> DeleteInstance:
    home = pair.home
    name, uuid = (home.name, home.uuid) if home else ("", "")
    address = f"instance.{name}"
    return DeleteInstance(id=f"{pair.host.name}/{address}/delete", host=pair.host.name, address=address, uuid=uuid)


def _machine(work: Work, pair: Pair, wanted: Instance, generation: int, waits_for: tuple[str, ...]) -> Iterator[Step]:
    """The one step that a wanted instance needs, if any. A machine whose disk is gone is left alone."""
    address, host = f"instance.{wanted.name}", work.host.name
    networks = work.shared.desired.networks
    gateways = {nic.network: networks[nic.network].gateway for nic in wanted.nics}
    machine = None if pair.replaced else pair.machine
    if machine is None:
        yield CreateInstance(
            id=f"{host}/{address}/create",
            host=host,
            address=address,
            waits_for=waits_for,
            instance=wanted,
            image_format=work.shared.desired.images[wanted.image_name].format,
            gateways=gateways,
            cloud=work.cloud.name,
            generation=generation,
        )
    elif pair.has_disk and not _written_so(machine, wanted):
        yield UpdateInstance(
            id=f"{host}/{address}/update",
            host=host,
            address=address,
            waits_for=waits_for,
            instance=wanted,
            gateways=gateways,
            cloud=work.cloud.name,
            generation=generation,
        )
    elif pair.has_disk and machine.power is not wanted.state:
        yield _power(host, address, wanted, machine, waits_for)


def _written_so(machine: Machine, wanted: Instance) -> bool:
    """Whether the domain is as wanted, power aside."""
    nics = tuple((nic.tap, nic.mac, nic.address) for nic in wanted.nics)
    is_now = (machine.name, machine.vcpus, machine.memory, machine.disk, machine.nics)
    return is_now == (wanted.name, wanted.vcpus, wanted.memory, wanted.disk, nics)


def _power(host: str, address: str, wanted: Instance, machine: Machine, waits_for: tuple[str, ...]) -> Step:
    """A paused or crashed machine is started as well: the driver knows how."""
    if wanted.state is Power.RUNNING:
        return StartInstance(
            id=f"{host}/{address}/start", host=host, address=address, waits_for=waits_for, uuid=machine.uuid
        )
    return StopInstance(id=f"{host}/{address}/stop", host=host, address=address, waits_for=waits_for, uuid=machine.uuid)
