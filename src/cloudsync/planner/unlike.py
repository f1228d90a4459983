"""Two versions of a cloud -> the same two without the instances of which nothing differs: what a diff costs goes with
the change, not with the cloud. Pure; pipeline.py asks, before it supposes anything.

Two values that are one object are found equal at once, and a thousand hosts are each compared with all groups.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TypeVar

from cloudsync.model.cloud import Cloud
from cloudsync.planner.rolling import together
from cloudsync.planner.supposed import choices

T = TypeVar("T")


def unlike(base: Cloud, head: Cloud) -> tuple[Cloud, Cloud]:
    """What is left out is in both, with all that it refers to, and nothing that is left depends on it."""
    homes = _settled(base, head)
    changed = head.instances.keys() - homes.keys()
    rolling = {one for _, _, members in together(head) if not changed.isdisjoint(members) for one in members}
    images = {head.instances[name].image for name in changed}
    kept: set[str] = set()
    there: set[tuple[str, str]] = set()
    for name, home in homes.items():
        image = head.instances[name].image
        if name in rolling or (image in images and (home, image) not in there):
            kept.add(name)
            there.add((home, image))
    aside = homes.keys() - kept
    return _without(base, aside), _without(head, aside)


def shared(base: Cloud, head: Cloud) -> Cloud:
    """`head`, where it says the same as `base` made of the very same objects."""
    return replace(
        head,
        hosts=_shared(base.hosts, head.hosts),
        images=_shared(base.images, head.images),
        networks=_shared(base.networks, head.networks),
        keypairs=_shared(base.keypairs, head.keypairs),
        groups=_shared(base.groups, head.groups),
        instances=_shared(base.instances, head.instances),
    )


def _shared(before: Mapping[str, T], after: Mapping[str, T]) -> Mapping[str, T]:
    found = {name: before[name] if _equal(before.get(name), one) else one for name, one in after.items()}
    same = len(found) == len(before) and all(found[name] is one for name, one in before.items() if name in found)
    return before if same and list(found) == list(before) else found


def _equal(one: T | None, other: T) -> bool:
    """Two fields of one object are compared like those of any two."""
    return one is other or one == other


def _without(cloud: Cloud, aside: Collection[str]) -> Cloud:
    return replace(cloud, instances={name: one for name, one in cloud.instances.items() if name not in aside})


def _settled(base: Cloud, head: Cloud) -> dict[str, str]:
    """Instances that are the same and may stay where they are, each with a host that is so in both versions."""
    if base.fabric != head.fabric or (len(base.hosts) > 1) != (len(head.hosts) > 1):
        return {}
    then, now = choices(base, head)
    first: dict[tuple[frozenset[str], frozenset[str]], str] = {}
    images, networks = _same(base.images, head.images), _same(base.networks, head.networks)
    found = {}
    for name, one in base.instances.items():
        other = head.instances.get(name)
        if (other is not one and other != one) or one.base in head.paused:
            continue
        if one.image in images and all(nic.network in networks for nic in one.nics):
            fits = then.of(one)
            fit = (fits, fits if now is then else now.of(one))
            if fit not in first:
                first[fit] = min(fit[0] & fit[1], default="")
            home = first[fit]
            if home and base.hosts[home].zone == head.hosts[home].zone:
                found[name] = home
    return found


def _same(before: Mapping[str, T], after: Mapping[str, T]) -> frozenset[str]:
    return frozenset(name for name, one in before.items() if _equal(after.get(name), one))
