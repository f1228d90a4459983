"""Names that must exist, and lists that name a thing once."""

from collections.abc import Iterator, Sequence

from cloudsync.spec.checks.addresses import nics
from cloudsync.spec.checks.groups import rules
from cloudsync.spec.draft import SINGULAR, Draft
from cloudsync.spec.finding import Finding, Trail
from cloudsync.spec.members import members
from cloudsync.spec.suggest import did_you_mean
from cloudsync.spec.words import quote


def known(draft: Draft, section: str) -> frozenset[str]:
    """Every name that may be referred to; the group `default` and the members of counted instances included."""
    names = draft.names[section]
    if section == "security_groups":
        return names | {"default"}
    if section == "instances":
        return names.union(*(members(base, instance) for base, instance in draft.instances.items()))
    return names


def missing(section: str, name: str, names: frozenset[str], trail: Trail) -> Iterator[Finding]:
    """A finding unless `name` is among `names`."""
    if name not in names:
        none = f"add it under {section}"
        message = f"there is no {SINGULAR[section]} {quote(name)}"
        yield Finding(trail, message, did_you_mean(name, names, none), needs=section)


def of_instances(draft: Draft) -> Iterator[Finding]:
    for base, instance in draft.instances.items():
        above: Trail = ("instances", base)
        placement = instance.placement
        named = (
            ("images", instance.image, ("image",)),
            ("flavors", instance.flavor, ("flavor",)),
            ("placement_groups", placement.group, ("placement", "group")),
            ("hosts", placement.host, ("placement", "host")),
        )
        for section, name, trail in named:
            if name and name not in draft.names[section]:
                yield from missing(section, name, draft.names[section], (*above, *trail))


def of_networks(draft: Draft) -> Iterator[Finding]:
    names = draft.names["networks"]
    for card in nics(draft):
        if card.network in names:
            continue
        trail = (*card.trail, "name") if card.trail[2] == "networks" else card.trail
        yield from missing("networks", card.network, names, trail)


def lists(draft: Draft) -> Iterator[Finding]:
    groups, keys = known(draft, "security_groups"), draft.names["keypairs"]
    for base, instance in draft.instances.items():
        above: Trail = ("instances", base)
        yield from _list("keypairs", instance.keypairs, keys, (*above, "keypairs"))
        yield from _list("security_groups", instance.security_groups or (), groups, (*above, "security_groups"))


def _list(section: str, written: Sequence[str], names: frozenset[str], above: Trail) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, name in enumerate(written):
        if name not in names:
            yield from missing(section, name, names, (*above, index))
        if name in seen:
            yield Finding((*above, index), f"{SINGULAR[section]} {quote(name)} is here twice", "remove one")
        seen.add(name)


def of_rules(draft: Draft) -> Iterator[Finding]:
    sections = {"group": "security_groups", "network": "networks", "instance": "instances"}
    names = {kind: known(draft, section) for kind, section in sections.items()}
    for trail, _, remote in rules(draft):
        kind, dot, name = remote.partition(".")
        if dot and kind in sections:
            side = "from" if trail[2] == "ingress" else "to"
            yield from missing(sections[kind], name, names[kind], (*trail, side))


CHECKS = (of_instances, of_networks, lists, of_rules)
