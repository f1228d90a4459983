"""Images: fetched where a machine needs them, removed where none stands on them and the spec no longer names them."""

from collections.abc import Iterable, Iterator, Mapping

from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Action, Change, Field
from cloudsync.model.resources import Image, World
from cloudsync.model.snapshot import HostState
from cloudsync.planner import show
from cloudsync.planner.departed import remains
from cloudsync.planner.drift import orphans
from cloudsync.planner.seen import Sight
from cloudsync.scheduler.filters import no_room

UNUSED = "no disk stands on it and the spec does not name it"
HALF = "it never arrived: what has come of it is removed"


@dataclass(frozen=True, slots=True)
class Fetch:
    host: str
    image: Image


@dataclass(frozen=True, slots=True)
class Drop:
    host: str
    sha256: str
    name: str
    whole: bool = True


def fetches(desired: World, hosts: Mapping[str, HostState]) -> tuple[Fetch, ...]:
    """What each host lacks, by host and name."""
    needed = {(one.host, one.image_name) for one in desired.instances.values() if one.name not in desired.held}
    return tuple(
        Fetch(host, desired.images[name])
        for host, name in sorted(needed)
        if desired.images[name].sha256 not in hosts[host].images
    )


def too_full(cloud: Cloud, fetched: Iterable[Fetch], hosts: Mapping[str, HostState]) -> Iterator[str]:
    """Of hosts where something stays that needs another image: what goes in the same apply may make room for it."""
    for fetch in fetched:
        why = no_room(cloud, fetch.image, hosts[fetch.host])
        if why:
            yield f"host.{fetch.host}: its pool is too full for image.{fetch.image.name} as it is now: {why}"


def drops(cloud: Cloud, desired: World, sight: Sight, hosts: Mapping[str, HostState]) -> tuple[Drop, ...]:
    """What each host may forget. A host with disks that nobody knows keeps all: one may stand on an image."""
    named = {image.sha256 for image in desired.images.values()}
    found = []
    for name, host in hosts.items():
        left = remains(cloud, host)
        if not host.reachable or host.document is None or orphans(host, sight) or left is None:
            continue
        names = {image.sha256: known for known, image in host.document.images.items()}
        stood_on = {pair.machine.image for pair in sight.at[name] if pair.machine and not pair.doomed}
        stood_on |= {pair.record.image for pair in sight.at[name] if pair.held and pair.record}
        stood_on |= {home.machine.image for home in sight.strays if home.machine and home.host == name}
        for sha256 in sorted((host.images.keys() | host.partial) - named - stood_on - left):
            found.append(Drop(name, sha256, names.get(sha256, sha256[:12]), sha256 in host.images))
    return tuple(found)


def changes(fetched: tuple[Fetch, ...], dropped: tuple[Drop, ...]) -> tuple[Change, ...]:
    """One change per image and action, naming its hosts."""
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
            reasons=(UNUSED if any(drop.whole for drop in drops) else HALF,),
            hosts=tuple(sorted({drop.host for drop in drops})),
        )
        for name, drops in sorted(gone.items())
    ]
    return tuple(found)
