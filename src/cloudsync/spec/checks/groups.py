"""Security groups: fields of a rule that do not go together."""

from collections.abc import Iterator

from cloudsync.model.resources import WITH_PORTS
from cloudsync.spec.draft import Draft
from cloudsync.spec.finding import Finding, Trail
from cloudsync.spec.models import Rule
from cloudsync.spec.words import listing, quote


def rules(draft: Draft) -> Iterator[tuple[Trail, Rule, str]]:
    """Every rule with its trail and its other side."""
    for name, group in draft.security_groups.items():
        above: Trail = ("security_groups", name)
        for index, ingress in enumerate(group.ingress or ()):
            yield (*above, "ingress", index), ingress, ingress.from_
        for index, egress in enumerate(group.egress or ()):
            yield (*above, "egress", index), egress, egress.to


def fields(draft: Draft) -> Iterator[Finding]:
    for trail, rule, _ in rules(draft):
        yield from _ports(trail, rule)
        yield from _types(trail, rule)


def _ports(trail: Trail, rule: Rule) -> Iterator[Finding]:
    if not rule.ports or rule.protocol in WITH_PORTS:
        return
    at = (*trail, "ports")
    if rule.protocol == "any":
        yield Finding(at, "ports need a protocol", "add  protocol: tcp, or udp")
    elif rule.protocol == "icmp":
        yield Finding(at, "ICMP has no ports", "use  type: echo-request, and code")
    else:
        yield Finding(at, f"protocol {rule.protocol} has no ports", f"ports go with {listing(WITH_PORTS, 'and')}")


def _types(trail: Trail, rule: Rule) -> Iterator[Finding]:
    if rule.type is None and rule.code is not None:
        yield Finding((*trail, "code"), "a code needs a type", "add  type: destination-unreachable, or another")
    elif rule.type is not None and rule.protocol != "icmp":
        yield Finding((*trail, "type"), "only ICMP has types", "add  protocol: icmp")


def default_is_lower_case(draft: Draft) -> Iterator[Finding]:
    for name in draft.names["security_groups"]:
        if name != "default" and name.lower() == "default":
            message = f"{quote(name)} would be easily taken for the group that every instance has"
            yield Finding(("security_groups", name), message, "write default, or choose another name", at_key=True)


CHECKS = (fields, default_is_lower_case)
