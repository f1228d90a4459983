"""World -> the document of one host: what its agent must keep."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import Applied, Entry, GivenUp, HostDocument
from cloudsync.model.resources import Image, Instance, World
from cloudsync.model.snapshot import HostState, HostStatus
from cloudsync.planner.departed import departed
from cloudsync.planner.floating import without
from cloudsync.planner.seen import Pair, Sight

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Whole:
    """What all hosts' documents share: worked out once."""

    cloud: Cloud
    desired: World
    directory: Mapping[str, Entry]
    members: Mapping[str, tuple[str, ...]]
    infra: tuple[str, ...]
    underlay: Mapping[str, str]
    local: dict[str, dict[str, Instance]]
    images: Mapping[str, dict[str, Image]]
    given_up: Mapping[str, GivenUp]


def whole(cloud: Cloud, desired: World, sight: Sight, hosts: Mapping[str, HostState], *known: Whole) -> Whole:
    """Gather it; instances on hosts that cannot be asked stay in the directory and in their groups.

    What is long and has not changed is the very object that a host, or one of `known`, has: comparing a thousand hosts
    is then quick.
    """
    entries = {
        home.name: Entry(
            uuid=home.uuid,
            host=home.host,
            addresses=home.addresses,
            floating=home.floating,
            disks={disk.name: disk.id for disk in home.disks},
        )
        for home, _ in sight.away
    }
    addresses = {wanted: home.addresses for home, wanted in sight.away if wanted}
    local: dict[str, dict[str, Instance]] = {}
    for name, one in sorted(desired.instances.items()):
        addresses[name] = tuple(nic.address for nic in one.nics)
        entries[one.name] = Entry(
            uuid=one.uuid,
            host=one.host,
            addresses=addresses[name],
            floating=one.floating,
            disks={disk.name: disk.id for disk in one.disks},
        )
        local.setdefault(one.host, {})[one.name] = one
    there: list[Whole | HostDocument] = [*known, *(host.document for host in hosts.values() if host.document)]
    directory = _one_of(dict(sorted(entries.items())), [document.directory for document in there])
    members = _one_of(_members(cloud, desired, addresses), [document.members for document in there])
    written = {name: host.address for name, host in sorted(cloud.hosts.items()) if host.address}
    underlay = _underlay(written, hosts) if len(cloud.hosts) > 1 else {}
    infra = tuple(sorted({*written.values(), *underlay.values()}))
    images = {host: images_of(here.values()) for host, here in local.items()}
    given_up = _one_of(departed(cloud, sight, hosts), [document.given_up for document in there])
    return Whole(cloud, desired, directory, members, infra, underlay, local, images, given_up)


def _underlay(written: Mapping[str, str], hosts: Mapping[str, HostState]) -> dict[str, str]:
    """Where another machine answers than the one that is meant, the way to that one stays what it was."""
    known = [host.document.underlay for host in hosts.values() if host.reachable and host.document]
    wrong = [name for name, host in hosts.items() if host.status is HostStatus.FOREIGN and name in written]
    return {**written, **{name: next((one[name] for one in known if name in one), written[name]) for name in wrong}}


def _one_of(fresh: Mapping[str, T], there: Iterable[Mapping[str, T]]) -> Mapping[str, T]:
    different = {id(one): one for one in there}.values()
    return next((one for one in different if one == fresh), fresh)


def final(shared: Whole, host: str) -> HostDocument:
    """What stays when everything is done; generation and `applied` are not set."""
    cloud, desired = shared.cloud, shared.desired
    return HostDocument(
        cloud=cloud.name,
        host=host,
        uplink=cloud.hosts[host].uplink,
        repair=cloud.repair,
        infra=shared.infra,
        fabric=cloud.fabric if shared.underlay else "direct",
        underlay=shared.underlay,
        keypairs=desired.keypairs,
        groups=desired.groups,
        networks=desired.networks,
        images=shared.images.get(host, {}),
        instances=shared.local.get(host, {}),
        members=shared.members,
        directory=shared.directory,
        given_up=shared.given_up,
    )


def while_moving(document: HostDocument, pending: Iterable[Pair]) -> HostDocument:
    """`document` before these have moved: they live where they did, and their host knows the way to where they go."""
    listed = tuple(pending)
    if not listed:
        return document
    names = {pair.name: pair for pair in listed}
    directory = {
        name: replace(entry, host=names[name].source.name) if name in names else entry
        for name, entry in document.directory.items()
    }
    here = {pair.name: pair for pair in listed if pair.source.name == document.host}
    instances = {
        **document.instances,
        **{name: _still_here(pair, one) for name, pair in here.items() if (one := pair.wanted)},
    }
    return replace(
        document,
        instances=dict(sorted(instances.items())),
        images=images_of(instances.values()),
        directory=directory,
        leaving={name: pair.host.name for name, pair in here.items()},
    )


def _still_here(pair: Pair, wanted: Instance) -> Instance:
    """As it is wanted, its new floating addresses aside: who has those now may not have let go of them."""
    has = pair.record.floating if pair.record else ()
    return replace(without(wanted, set(wanted.floating) - set(has)), host=pair.source.name)


def content(document: HostDocument | None) -> HostDocument | None:
    """What makes two documents the same: all but generation, who applied it, and user-data's bytes."""
    if document is None:
        return None
    return replace(document, generation=0, applied=Applied(), user_data={})


def claims(state: HostState, document: HostDocument) -> bool:
    """Whether a host needs the document: one that never had any, and is to have nothing, does not."""
    asks = document.instances or document.keypairs or document.groups or document.networks
    return state.document is not None or bool(asks)


def images_of(instances: Iterable[Instance]) -> dict[str, Image]:
    """Name and content are enough: where it came from is the spec's business."""
    found = {one.image_name: Image(name=one.image_name, sha256=one.image, source="") for one in instances}
    return dict(sorted(found.items()))


def _members(cloud: Cloud, desired: World, addresses: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Addresses behind each `group.X` and `instance.X` that a rule names."""
    remotes = {rule.remote for group in desired.groups.values() for rule in group.rules}
    found: dict[str, set[str]] = {one: set() for one in remotes if one.startswith(("group.", "instance."))}
    for name, having in addresses.items():
        wanted = cloud.instances[name]
        for remote in (f"instance.{name}", f"instance.{wanted.base}", *(f"group.{group}" for group in wanted.groups)):
            if remote in found:
                found[remote].update(having)
    return {remote: tuple(sorted(found[remote])) for remote in sorted(found)}
