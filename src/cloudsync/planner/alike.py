"""Instances that go beside ones that come and are the same but for the name: probably renamed, and the spec could say
so. A guess is offered, never taken. Pure; pipeline.py asks."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from difflib import SequenceMatcher

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.difference import Alike
from cloudsync.scheduler.homes import heirs as find_heirs

_COMPARED = 50
"""Of one kind: more that are all alike cannot be told apart by their names either."""

Block = tuple[Wanted, ...]


def alike(base: Cloud, head: Cloud) -> tuple[Alike, ...]:
    """Keys of the spec: one with a count stands for all that it counts. In the order of the new names."""
    heirs = find_heirs(head.instances, base.instances)
    kept = set(heirs.values())
    gone = _blocks(base, {name for name in base.instances if name not in kept})
    come = _blocks(head, {name for name in head.instances if name not in heirs})
    kinds = _by_kind(gone)
    found = []
    for kind, new in _by_kind(come).items():
        found += list(_paired(kinds.get(kind, [])[:_COMPARED], new[:_COMPARED]))
    return tuple(sorted(found, key=lambda one: one.name))


def _blocks(cloud: Cloud, loose: set[str]) -> dict[str, Block]:
    """What one key of the spec makes, where all of it is among the `loose`."""
    found: dict[str, list[Wanted]] = {cloud.instances[name].base: [] for name in loose}
    for wanted in cloud.instances.values() if loose else ():
        if wanted.base in found:
            found[wanted.base].append(wanted)
    return {base: tuple(all_) for base, all_ in sorted(found.items()) if all(one.name in loose for one in all_)}


def _by_kind(blocks: Mapping[str, Block]) -> dict[Hashable, list[str]]:
    kinds: defaultdict[Hashable, list[str]] = defaultdict(list)
    for name, block in blocks.items():
        kinds[_kind(block)].append(name)
    return kinds


def _kind(block: Block) -> Hashable:
    """All that is the same after a rename. Addresses are: two cannot have one."""
    first = block[0]
    return (
        len(block),
        bool(first.index),
        first.image,
        first.flavor,
        first.disks,
        tuple((nic.network, nic.port_security) for nic in first.nics),
        tuple(sorted(one.nics[0].address or "" for one in block if one.nics)),
        first.keypairs,
        tuple(sorted(first.groups)),
        first.user_data,
        tuple(sorted(first.metadata.items())),
    )


def _paired(old: list[str], new: list[str]) -> Iterator[Alike]:
    """The most similar names first."""
    ranked = sorted(
        ((-SequenceMatcher(None, was, name).ratio(), was, name) for was in old for name in new),
    )
    used: set[str] = set()
    for _, was, name in ranked:
        if f"old {was}" not in used and f"new {name}" not in used:
            used |= {f"old {was}", f"new {name}"}
            yield Alike(name=name, was=was)
