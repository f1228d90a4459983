"""World -> the document of one host: what its agent must keep, with and without the instances that are about to go."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.document import Applied, Entry, HostDocument
from cloudsync.model.resources import Group, Image, Instance, Network, World
from cloudsync.model.snapshot import HostState
from cloudsync.planner.seen import Pair, Sight


@dataclass(frozen=True, slots=True)
class Whole:
    """What all hosts' documents share: worked out once."""

    cloud: Cloud
    desired: World
    directory: dict[str, Entry]
    members: dict[str, tuple[str, ...]]
    infra: tuple[str, ...]
    local: dict[str, dict[str, Instance]]


def whole(cloud: Cloud, desired: World, sight: Sight) -> Whole:
    """Gather it; instances on hosts that cannot be asked stay in the directory and in their groups."""
    directory = {
        name: Entry(uuid=home.uuid, host=home.host, addresses=home.addresses) for name, home in sight.away.items()
    }
    local: dict[str, dict[str, Instance]] = {}
    for name, one in desired.instances.items():
        directory[name] = Entry(uuid=one.uuid, host=one.host, addresses=tuple(nic.address for nic in one.nics))
        local.setdefault(one.host, {})[name] = one
    directory = dict(sorted(directory.items()))
    infra = tuple(sorted(host.address for host in cloud.hosts.values() if host.address))
    return Whole(cloud, desired, directory, _members(cloud, desired, directory), infra, local)


def final(shared: Whole, host: str) -> HostDocument:
    """What stays when everything is done; generation and `applied` are not set."""
    cloud, desired = shared.cloud, shared.desired
    local = shared.local.get(host, {})
    return HostDocument(
        cloud=cloud.name,
        host=host,
        uplink=cloud.hosts[host].uplink,
        infra=shared.infra,
        keypairs=desired.keypairs,
        groups=desired.groups,
        networks=desired.networks,
        images=_images(local.values()),
        instances=local,
        members=shared.members,
        directory=shared.directory,
    )


def with_doomed(document: HostDocument, doomed: Iterable[Pair]) -> HostDocument:
    """The same while `doomed` still run: they keep what they had until they are gone."""
    old = next((pair.host.document for pair in doomed if pair.host.document), None)
    # The spec no longer names them, so the bytes of their user-data are not at hand any more.
    records = {pair.record.name: replace(pair.record, user_data=None) for pair in doomed if pair.record}
    if old is None or not records:
        return document
    used = {name for record in records.values() for name in record.groups}
    groups: dict[str, Group] = {name: old.groups[name] for name in sorted(used) if name in old.groups}
    nets: dict[str, Network] = {
        nic.network: old.networks[nic.network]
        for record in records.values()
        for nic in record.nics
        if nic.network in old.networks
    }
    entries = {name: old.directory[name] for name in records if name in old.directory}
    return replace(
        document,
        keypairs={**old.keypairs, **document.keypairs},
        groups={**groups, **document.groups},
        networks={**nets, **document.networks},
        images={**_images(records.values()), **document.images},
        instances={**records, **document.instances},
        members={**old.members, **document.members},
        directory={**entries, **document.directory},
    )


def content(document: HostDocument | None) -> HostDocument | None:
    """What makes two documents the same: all but generation, who applied it, and user-data's bytes."""
    if document is None:
        return None
    return replace(document, generation=0, applied=Applied(), user_data={})


def empty(document: HostDocument) -> bool:
    """Whether it asks for nothing at all."""
    return not (document.instances or document.keypairs or document.groups or document.networks)


def claims(state: HostState, document: HostDocument) -> bool:
    """Whether a host without a document needs one."""
    return state.document is not None or not empty(document)


def _images(instances: Iterable[Instance]) -> dict[str, Image]:
    """Name and content are enough: where it came from is the spec's business."""
    found = {one.image_name: Image(name=one.image_name, sha256=one.image, source="") for one in instances}
    return dict(sorted(found.items()))


def _members(cloud: Cloud, desired: World, directory: dict[str, Entry]) -> dict[str, tuple[str, ...]]:
    """Addresses behind each `group.X` and `instance.X` that a rule names."""
    remotes = {rule.remote for group in desired.groups.values() for rule in group.rules}
    found: dict[str, set[str]] = {one: set() for one in remotes if one.startswith(("group.", "instance."))}
    for name, entry in directory.items():
        wanted = cloud.instances.get(name)
        if wanted is None:
            continue
        for remote in (f"instance.{name}", f"instance.{wanted.base}", *(f"group.{group}" for group in wanted.groups)):
            if remote in found:
                found[remote] |= set(entry.addresses)
    return {remote: tuple(sorted(found[remote])) for remote in sorted(found)}
