"""Two documents of one host -> what changed between them, and back: a change travels as this to an agent that has the
first. `patched(old, difference(old, new)) == new`, and what did not change stays the very same object, so that nobody
who keeps what was made of it has to make it again.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import field, fields, replace
from itertools import compress
from operator import is_not
from typing import Any, Generic, TypeVar

from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import Applied, Entry, GivenUp, HostDocument
from cloudsync.model.resources import Group, Image, Instance, Keypair, Network

T = TypeVar("T")


class Misfit(ValueError):
    """The delta was made from another document: it takes away what is not there, or adds what is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries(Generic[T]):
    """Of a map: what is new or other, whole, and the keys that went."""

    set: Mapping[str, T] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """Addresses that came to a set of members, and those that left it."""

    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDelta:
    """Each field is as in HostDocument, maps by their entries; cloud and host never change by a delta.

    `members` are whole sets; of a set that was there and stays, `moves` has what changed. User-data is known by its
    digest: what the older document's instances name is there already.
    """

    generation: int
    applied: Applied = Applied()
    uplink: str | None = None
    repair: bool = False
    infra: tuple[str, ...] = ()
    fabric: str = "direct"
    underlay: Entries[str] = Entries()
    keypairs: Entries[Keypair] = Entries()
    groups: Entries[Group] = Entries()
    networks: Entries[Network] = Entries()
    images: Entries[Image] = Entries()
    instances: Entries[Instance] = Entries()
    members: Entries[tuple[str, ...]] = Entries()
    moves: Mapping[str, Moves] = field(default_factory=dict)
    directory: Entries[Entry] = Entries()
    leaving: Entries[str] = Entries()
    given_up: Entries[GivenUp] = Entries()
    user_data: Entries[str] = field(default=Entries(), repr=False)


_OWN = {"moves", "members", "user_data"}
_PLAIN = tuple(one.name for one in fields(DocumentDelta) if one.name not in _OWN)


def difference(old: HostDocument, new: HostDocument) -> DocumentDelta:
    """`old` may lack its user-data, as agents give it out. ValueError when the two are not of one cloud and host."""
    if (old.cloud, old.host) != (new.cloud, new.host):
        raise ValueError(f"{new.cloud}/{new.host} does not follow {old.cloud}/{old.host}")
    moves = {name: moved for name in old.members.keys() & new.members.keys() if (moved := _moves(name, old, new))}
    return DocumentDelta(
        members=_entries(old.members, {**new.members, **{name: old.members[name] for name in moves}}),
        moves=dict(sorted(moves.items())),
        user_data=_entries({digest: new.user_data.get(digest, "") for digest in _held(old)}, new.user_data),
        **{name: _change(getattr(old, name), getattr(new, name)) for name in _PLAIN},
    )


def patched(document: HostDocument, delta: DocumentDelta) -> HostDocument:
    """Raise Misfit when `delta` was not made from this document."""
    members = _merged(document.members, delta.members)
    moved = {name: _moved(name, members, moves) for name, moves in delta.moves.items()}
    return replace(
        document,
        members={**members, **moved} if moved else members,
        user_data=_merged(document.user_data, delta.user_data),
        **{name: _patch(getattr(document, name), getattr(delta, name)) for name in _PLAIN},
    )


_LONG, _PAIRS = 1000, 4
_recent: deque[tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]] = deque(maxlen=_PAIRS)


def fresh(new: Mapping[str, T], old: Mapping[str, T]) -> Mapping[str, T]:
    """The entries of `new` that are not the very same objects in `old`. Neither may change any more.

    Whoever takes part in an apply asks this of the same two directories, so the last answers about long ones are kept.
    """
    if new is old:
        return {}
    for one, other, known in tuple(_recent):
        if one is new and other is old:
            return known
    return _kept(new, old, dict(compress(new.items(), map(is_not, map(old.get, new), new.values()))))


def _kept(new: Mapping[str, T], old: Mapping[str, T], found: Mapping[str, T]) -> Mapping[str, T]:
    if len(new) > _LONG:
        _recent.append((new, old, found))
    return found


def gone(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys of `old` that `new` has not."""
    stayed = len(new) - sum(key not in old for key in fresh(new, old))
    return tuple(sorted(old.keys() - new.keys())) if stayed < len(old) else ()


def _change(old: Any, new: Any) -> Any:
    return _entries(old, new) if isinstance(new, Mapping) else new


def _patch(old: Any, change: Any) -> Any:
    return _merged(old, change) if isinstance(change, Entries) else change


def _entries(old: Mapping[str, T], new: Mapping[str, T]) -> Entries[T]:
    if old is new:
        return Entries()
    changed = {key: value for key, value in fresh(new, old).items() if key not in old or old[key] != value}
    return Entries(set=changed, removed=gone(new, old))


def _merged(old: Mapping[str, T], entries: Entries[T]) -> Mapping[str, T]:
    """The old map itself when nothing is to be done to it."""
    if not (entries.set or entries.removed):
        return old
    found = dict(old)
    for key in entries.removed:
        if found.pop(key, None) is None or key in entries.set:
            raise Misfit("it removes what is not there")
    found.update(entries.set)
    _kept(found, old, entries.set)
    return found


def _held(document: HostDocument) -> set[str]:
    """The digests of its user-data, also where the data itself was left out."""
    named = {one.user_data.sha256 for one in document.instances.values() if one.user_data}
    return named | document.user_data.keys()


def _moves(name: str, old: HostDocument, new: HostDocument) -> Moves | None:
    """None where nothing changed, and where the set is better sent whole."""
    before, after = old.members[name], new.members[name]
    if before is after or before == after or list(after) != sorted(set(after)):
        return None
    joined, left = set(after) - set(before), set(before) - set(after)
    if len(joined) + len(left) > len(after):
        return None
    return Moves(joined=tuple(sorted(joined)), left=tuple(sorted(left)))


def _moved(name: str, members: Mapping[str, tuple[str, ...]], moves: Moves) -> tuple[str, ...]:
    there, joined, left = set(members.get(name, ())), set(moves.joined), set(moves.left)
    if name not in members or joined & there or not left <= there:
        raise Misfit("the members that it is about are others")
    return tuple(sorted((there - left) | joined))
