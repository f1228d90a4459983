"""Misspelt keys -> what they must be, so that what they hold is checked with the rest, and what refers to it is not
told as missing: the key itself is the problem. Pure; `load` and `draft` ask."""

from collections.abc import Iterable
from dataclasses import replace

from cloudsync.spec import known
from cloudsync.spec.compose import Map, Seq, Value
from cloudsync.spec.document import Document
from cloudsync.spec.finding import Trail
from cloudsync.spec.prune import again
from cloudsync.spec.strangers import harmless
from cloudsync.spec.suggest import nearest


def clarified(document: Document) -> Document:
    """What stands under a misspelt key at the top stands there once more, as it must."""
    root = document.root
    return replace(document, root=respelt(root, [(key,) for key in root], ()))


def respelt(value: Value, trails: Iterable[Trail], above: Trail) -> Value:
    """A copy in which what stands at these trails, as far as they lead to misspelt keys, also stands under the right
    one, where that is missing. What may be a secret stays what it is."""
    found: dict[Trail, str] = {}
    for trail in trails:
        holder, key = _at(value, trail[:-1]), trail[-1]
        possible = known.keys((*above, *trail[:-1]))
        if not isinstance(holder, Map) or not isinstance(key, str) or key in possible:
            continue
        near = nearest(key, possible - holder.keys()) if harmless(key, holder[key], possible) else None
        if near == nearest(key, possible) and near and near not in _right(found, trail):
            found[trail] = near
    return again(value, found) if found else value


def _right(found: dict[Trail, str], trail: Trail) -> set[str]:
    return {key for other, key in found.items() if other[:-1] == trail[:-1]}


def is_there(value: Value, trail: Trail) -> bool:
    """Whether it has a value there."""
    return _at(value, trail) is not None


def unclear(root: Map) -> bool:
    """Whether something at the top has a name that may be meant as any section's."""
    possible = known.keys(())
    told = {root.marks[key] for key in root if key in possible}
    return any(
        key not in possible and root.marks[key] not in told and isinstance(value, Map | Seq) and bool(value)
        for key, value in root.items()
    )


def _at(value: Value, trail: Trail) -> Value:
    """None where one value stands for a list of one."""
    for step in trail:
        if isinstance(value, Map) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, Seq) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value
