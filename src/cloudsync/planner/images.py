"""Images: fetched where a machine needs them, removed where none stands on them and the spec no longer names them."""

from dataclasses import dataclass

from cloudsync.model.plan import Action, Change, Field
from cloudsync.model.resources import Image, World
from cloudsync.model.snapshot import HostState, Snapshot
from cloudsync.planner import show
from cloudsync.planner.drift import orphans
from cloudsync.planner.seen import Sight


@dataclass(frozen=True, slots=True)
class Fetch:
    host: str
    image: Image


@dataclass(frozen=True, slots=True)
class Drop:
    host: str
    sha256: str
    name: str


def fetches(desired: World, snapshot: Snapshot) -> tuple[Fetch, ...]:
    """What each host lacks, by host and name."""
    needed = {(one.host, one.image_name) for one in desired.instances.values()}
    return tuple(
        Fetch(host, desired.images[name])
        for host, name in sorted(needed)
        if desired.images[name].sha256 not in snapshot.hosts[host].images
    )


def drops(desired: World, sight: Sight, snapshot: Snapshot) -> tuple[Drop, ...]:
    """What each host may forget. A host with disks that nobody knows keeps all: one may stand on an image."""
    named = {image.sha256 for image in desired.images.values()} | {one.image for one in desired.instances.values()}
    found = []
    for name, host in sorted(snapshot.hosts.items()):
        if not host.reachable or host.document is None or orphans(host, sight):
            continue
        names = _names(host)
        stood_on = {pair.machine.image for pair in sight.pairs if pair.host is host and pair.machine and pair.wanted}
        stood_on -= {pair.machine.image for pair in sight.pairs if pair.replaced and pair.machine}
        for sha256 in sorted(host.images.keys() - named - stood_on):
            found.append(Drop(name, sha256, names.get(sha256, sha256[:12])))
    return tuple(found)


def changes(fetched: tuple[Fetch, ...], dropped: tuple[Drop, ...]) -> tuple[Change, ...]:
    """One change per image, naming its hosts."""
    come: dict[str, list[Fetch]] = {}
    for fetch in fetched:
        come.setdefault(fetch.image.name, []).append(fetch)
    gone: dict[str, list[Drop]] = {}
    for drop in dropped:
        gone.setdefault(drop.name, []).append(drop)
    found = [
        Change(
            address=f"image.{name}",
            action=Action.CREATE,
            fields=(Field(path="content", before=None, after=show.image(fetches[0].image)),),
            hosts=tuple(fetch.host for fetch in fetches),
        )
        for name, fetches in sorted(come.items())
    ]
    found += [
        Change(
            address=f"image.{name}",
            action=Action.DELETE,
            reasons=("no disk stands on it and the spec does not name it",),
            hosts=tuple(drop.host for drop in drops),
        )
        for name, drops in sorted(gone.items())
    ]
    return tuple(found)


def _names(host: HostState) -> dict[str, str]:
    """Names by sha256, as this host's document has them."""
    return {image.sha256: name for name, image in host.document.images.items()} if host.document else {}
