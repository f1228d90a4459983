"""A document while instances that are about to go still run: they keep the policy they had until they are gone."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cloudsync.model.document import Entry, HostDocument
from cloudsync.model.resources import Group, Network
from cloudsync.planner.conflicts import overlaps
from cloudsync.planner.documents import images_of
from cloudsync.planner.floating import without
from cloudsync.planner.seen import Pair


def with_leaving(document: HostDocument, old: HostDocument | None, leaving: Iterable[Pair]) -> HostDocument:
    """`document` and the recorded ones of `leaving`, with what they refer to, as `old` has it.

    Their user-data is left out: the spec may not have its bytes any more, and nobody else has. A floating address that
    somebody else gets is theirs no more.
    """
    records = {pair.record.name: replace(pair.record, user_data=None) for pair in leaving if pair.record}
    if old is None or not records:
        return document
    given = frozenset(address for entry in document.directory.values() for address in entry.floating)
    records = {name: without(record, given) for name, record in records.items()}
    nets = {nic.network for record in records.values() for nic in record.nics}
    used = {name for record in records.values() for name in record.groups}
    networks = {**{name: old.networks[name] for name in sorted(nets) if name in old.networks}, **document.networks}
    groups = {name: _known(old.groups[name], networks, old) for name in sorted(used) if name in old.groups}
    networks = {**_remotes(groups.values(), old, networks), **networks}
    keys = {name for record in records.values() for name in record.keypairs if name in old.keypairs}
    entries = {
        name: Entry(
            uuid=record.uuid,
            host=document.host,
            addresses=tuple(nic.address for nic in record.nics),
            floating=record.floating,
            disks={disk.name: disk.id for disk in record.disks},
        )
        for name, record in records.items()
    }
    return replace(
        document,
        keypairs={**{name: old.keypairs[name] for name in sorted(keys)}, **document.keypairs},
        groups={**groups, **document.groups},
        networks=networks,
        images={**images_of(records.values()), **document.images},
        instances={**records, **document.instances},
        members={**old.members, **document.members},
        directory={**entries, **document.directory},
    )


def _known(group: Group, networks: Mapping[str, Network], old: HostDocument) -> Group:
    """Less the rules that name a network which cannot be kept: less is allowed, never more."""
    rules = (rule for rule in group.rules if _keeps(rule.remote, networks, old))
    return replace(group, rules=tuple(rules))


def _keeps(remote: str, networks: Mapping[str, Network], old: HostDocument) -> bool:
    kind, _, name = remote.partition(".")
    if kind != "network" or name in networks:
        return True
    return name in old.networks and not overlaps(old.networks[name], networks.values())


def _remotes(groups: Iterable[Group], old: HostDocument, networks: Mapping[str, Network]) -> dict[str, Network]:
    """Networks that kept rules name and that nothing else brings."""
    named = sorted({rule.remote for group in groups for rule in group.rules if rule.remote.startswith("network.")})
    names = [remote.removeprefix("network.") for remote in named]
    return {name: old.networks[name] for name in names if name not in networks}
