"""Key pairs, networks and groups: recorded on every host of the cloud, so each host is compared with what is wanted."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, replace
from typing import TypeVar

from cloudsync.model import wire
from cloudsync.model.address import Address, Kind
from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Action, Change, Disruption, Field
from cloudsync.model.resources import Group, Keypair, Network, World
from cloudsync.model.snapshot import HostState
from cloudsync.planner import compare, show

Noun = TypeVar("Noun", Keypair, Group, Network)
Fields = Callable[[Noun | None, Noun | None], tuple[Field, ...]]


def changes(desired: World, hosts: Mapping[str, HostState], new: Collection[str]) -> tuple[Change, ...]:
    """What differs, in address order within each kind. `new` hosts, which have none of it yet, are not named."""
    documents = {name: host.document for name, host in hosts.items() if host.reachable and name not in new}
    users = _users(desired)
    found = [
        *_of_kind(Kind.KEYPAIR, desired.keypairs, _recorded(documents, lambda one: one.keypairs), _keypair_fields),
        *_of_kind(Kind.NETWORK, desired.networks, _recorded(documents, lambda one: one.networks), _network_fields),
        *_of_kind(Kind.GROUP, desired.groups, _recorded(documents, lambda one: one.groups), _group_fields),
    ]
    return tuple(replace(one, reasons=(*one.reasons, *_reach(users.get(one.address, [])))) for one in found)


def _users(desired: World) -> dict[str, list[str]]:
    """Hosts of the instances in each group, one entry for each instance."""
    found: dict[str, list[str]] = {}
    for instance in desired.instances.values():
        for name in instance.groups:
            found.setdefault(str(Address(Kind.GROUP, name)), []).append(instance.host)
    return found


def _reach(hosts: list[str]) -> tuple[str, ...]:
    """`3 instances on 2 hosts`."""
    if not hosts:
        return ()
    many, where = len(hosts), len(set(hosts))
    return (f"{many} instance{'s' if many != 1 else ''} on {where} host{'s' if where != 1 else ''}",)


def _recorded(
    documents: Mapping[str, HostDocument | None], pick: Callable[[HostDocument], Mapping[str, Noun]]
) -> dict[str, Mapping[str, Noun]]:
    return {host: pick(document) if document else {} for host, document in documents.items()}


def _of_kind(
    kind: Kind, desired: Mapping[str, Noun], recorded: Mapping[str, Mapping[str, Noun]], fields: Fields[Noun]
) -> Iterable[Change]:
    if all(there == desired for there in {id(there): there for there in recorded.values()}.values()):
        return
    names = set(desired).union(*(set(there) for there in recorded.values()))
    for name in sorted(names):
        wanted = desired.get(name)
        behind = tuple(host for host, there in recorded.items() if there.get(name) != wanted)
        if not behind:
            continue
        before = next((recorded[host][name] for host in behind if name in recorded[host]), None)
        known = any(name in there for there in recorded.values())
        action = Action.DELETE if wanted is None else Action.UPDATE if known else Action.CREATE
        yield Change(
            address=str(Address(kind, name)),
            action=action,
            fields=fields(before, wanted),
            reasons=("it is missing there",) if action is Action.UPDATE and before is None else (),
            hosts=behind,
            disruption=Disruption.LIVE if action is Action.UPDATE and kind is not Kind.KEYPAIR else Disruption.NONE,
            before=wire.digest(before) if before else "",
        )


def _keypair_fields(before: Keypair | None, after: Keypair | None) -> tuple[Field, ...]:
    texts = [one.public_key[:40] + "…" if one else None for one in (before, after)]
    return (Field(path="public_key", before=texts[0], after=texts[1]),) if before and after else ()


def _network_fields(before: Network | None, after: Network | None) -> tuple[Field, ...]:
    if before and after:
        return compare.fields(asdict(before), asdict(after))
    return (Field(path="subnet", before=None, after=after.subnet),) if after else ()


def _group_fields(before: Group | None, after: Group | None) -> tuple[Field, ...]:
    old = set(before.rules) if before else set()
    new = set(after.rules) if after else set()
    gone = [Field(path="rule", before=show.rule(one), after=None) for one in sorted(old - new, key=lambda r: r.key())]
    come = [Field(path="rule", before=None, after=show.rule(one)) for one in sorted(new - old, key=lambda r: r.key())]
    words: list[Field] = []
    if before and after and before.description != after.description:
        words.append(Field(path="description", before=before.description, after=after.description))
    if before and after and before.log_denied != after.log_denied:
        words.append(Field(path="log_denied", before=_switch(before.log_denied), after=_switch(after.log_denied)))
    return (*words, *gone, *come) if after else ()


def _switch(on: bool) -> str:
    return "true" if on else "false"
