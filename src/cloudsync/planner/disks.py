"""Data disks: which instance has which, what becomes of each, and how that is told. Pure.

A disk has its id for ever: a replace or a rename takes it along, and only a change that says so destroys it.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from uuid import UUID

from cloudsync.model.cloud import WantedDisk
from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Action, Change, Disruption, Field
from cloudsync.model.resources import DataDisk, Instance
from cloudsync.model.size import size
from cloudsync.model.snapshot import Machine
from cloudsync.planner.seen import Pair

ROOT = "root"


def decided(uuid: str, wanted: Iterable[WantedDisk], held: Iterable[DataDisk], taken: Container[str]) -> list[DataDisk]:
    """By name. What is there keeps its id; a new one's follows from `uuid`, its instance's, so that a run that comes
    after one that was killed finds what that made."""
    ids = {disk.name: disk.id for disk in reversed(tuple(held))}
    found = [
        DataDisk(name=one.name, size=one.size, id=ids.get(one.name) or _id_of(uuid, one.name, taken)) for one in wanted
    ]
    return sorted(found, key=lambda one: one.name)


def _id_of(uuid: str, name: str, taken: Container[str]) -> str:
    """An instance's UUID may be free again while a disk of it lives on with another."""
    salt = 0
    while True:
        digest = sha256(f"{uuid}/disk/{name}/{salt}".encode()).digest()
        found = str(UUID(bytes=digest[:16], version=4))
        if found not in taken:
            return found
        salt += 1


def attached(machine: Machine, wanted: Instance) -> bool:
    """Whether it has every disk, as large as wanted. One that is bigger stays: none ever shrinks."""
    sizes = {disk.id: disk.size for disk in machine.disks}
    return all(disk.id in machine.attached and sizes.get(disk.id, 0) >= disk.size for disk in wanted.disks)


def missing(pair: Pair) -> tuple[DataDisk, ...]:
    """Those that stay with it and whose volume is gone: an empty one in their place would hide the loss."""
    wanted = {disk.id for disk in pair.wanted.disks} if pair.wanted else set()
    held = pair.disks
    return tuple(disk for disk in held if disk.made and disk.id in wanted and disk.id not in pair.source.data)


def carried(pair: Pair) -> tuple[str, ...]:
    """Ids of those that go along when it moves."""
    wanted = {disk.id for disk in pair.wanted.disks} if pair.wanted else set()
    there = (disk for disk in pair.disks if disk.made or disk.id in pair.source.data)
    return tuple(disk.id for disk in there if disk.id in wanted)


def unsettled(pair: Pair) -> bool:
    """Whether one is made, grown or removed: until that is done the record says what there was."""
    return pair.wanted is not None and pair.disks != pair.wanted.disks


def until_made(document: HostDocument, pairs: Iterable[Pair]) -> HostDocument:
    """`document` while the disks of its instances are what they were: a record says of a new one that it is not made
    yet, and names one that goes until it is gone."""
    now = {pair.wanted.name: (pair.wanted.uuid, _now(pair, pair.wanted)) for pair in pairs if pair.wanted}
    if not any(disks for _, disks in now.values()):
        return document
    instances = {
        name: replace(one, disks=now[name][1]) if name in now and now[name][0] == one.uuid else one
        for name, one in document.instances.items()
    }
    return replace(document, instances=instances)


def _now(pair: Pair, wanted: Instance) -> tuple[DataDisk, ...]:
    """Of one that is made anew, those that go belong to the machine that goes."""
    staying = {disk.id for disk in wanted.disks}
    held = [disk for disk in pair.disks if not pair.replaced or disk.id in staying]
    ids = {disk.id for disk in held}
    new = (replace(disk, made=False) for disk in wanted.disks if disk.id not in ids)
    return tuple(sorted((*held, *new), key=lambda disk: disk.name))


def destroyed(pair: Pair) -> tuple[str, ...]:
    """Names of those that go and hold something: of one that is gone from the pool, what a machine has open."""
    return tuple(disk.name for disk in pair.going if disk.id in pair.source.data or _open(pair, disk))


def _open(pair: Pair, disk: DataDisk) -> bool:
    return pair.runs and pair.machine is not None and disk.id in pair.machine.attached


def staying(pair: Pair) -> Pair:
    """`pair` without the disks that go: those are told apart."""
    if not pair.going or pair.home is None:
        return pair
    ids = {disk.id for disk in pair.going}
    home = replace(pair.home, disks=_less(pair.home.disks, ids))
    if home.record:
        home = replace(home, record=replace(home.record, disks=_less(home.record.disks, ids)))
    return replace(pair, home=home, going=())


def _less(disks: tuple[DataDisk, ...], ids: Container[str]) -> tuple[DataDisk, ...]:
    return tuple(disk for disk in disks if disk.id not in ids)


def removal(pair: Pair, digest: str) -> Change:
    """The change that takes disks away from an instance that stays: one of its own, and the only one that does."""
    names = destroyed(pair)
    return Change(
        address=f"instance.{pair.name}",
        action=Action.UPDATE,
        fields=tuple(Field(path=f"disks.{disk.name}", before=size(disk.size), after=None) for disk in pair.going),
        hosts=(pair.source.name,),
        destroys_data=bool(names),
        disks=names,
        disruption=Disruption.DESTROYS_DATA if names else Disruption.NONE,
        before=digest,
    )


def sizes(one: Instance) -> Mapping[str, str]:
    """As they are shown; one that is not made yet is not there."""
    return {disk.name: size(disk.size) for disk in one.disks if disk.made}
