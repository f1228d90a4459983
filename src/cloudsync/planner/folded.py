"""Two versions of a cloud -> the same with one instance for all that nothing tells apart, and whom each stands for: so
what it costs to say what becomes reachable goes with the roles in a cloud. Pure; between.py asks.
"""

from collections.abc import Hashable, Mapping
from dataclasses import replace

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.dataclass import dataclass
from cloudsync.reach.ends import in_order


@dataclass(frozen=True, slots=True)
class Folded:
    """`members` are all of `base` and `head`, by the name of the first of those that are alike."""

    base: Cloud
    head: Cloud
    members: Mapping[str, list[str]]


def fold(base: Cloud, head: Cloud) -> Folded:
    """Whoever has an address of its own, or a name that a rule says, stands for itself."""
    named = _named(base) | _named(head)
    alike: dict[Hashable, list[str]] = {}
    for name in sorted({**base.instances, **head.instances}, key=in_order):
        before, after = base.instances.get(name), head.instances.get(name)
        role = _role(before, named)
        roles = (role, role if after is before else _role(after, named))
        alike.setdefault(roles, []).append(name)
    first = {name: names[0] for names in alike.values() for name in names}
    return Folded(_only(base, first), _only(head, first), {names[0]: names for names in alike.values()})


def _named(cloud: Cloud) -> set[str]:
    """Instances that rules speak of."""
    rules = [rule for written in cloud.written.values() for _, rule in written]
    rules += [rule for group in cloud.groups.values() for rule in group.rules]
    return {one.removeprefix("instance.") for one in {rule.remote for rule in rules} if one.startswith("instance.")}


def _role(one: Wanted | None, named: set[str]) -> Hashable:
    if one is None:
        return None
    alone = one.name in named or one.base in named or one.floating or any(nic.address for nic in one.nics)
    return one.name if alone else (one.groups, one.nics)


def _only(cloud: Cloud, first: Mapping[str, str]) -> Cloud:
    """In the order in which their likes come first."""
    names = dict.fromkeys(first[name] for name in cloud.instances)
    return replace(cloud, instances={name: cloud.instances[name] for name in names})
