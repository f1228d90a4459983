"""Placement: hosts, zones and labels that exist, and constraints that some host can meet."""

from collections.abc import Iterator

from cloudsync.spec.draft import Draft
from cloudsync.spec.finding import Finding, Trail
from cloudsync.spec.suggest import did_you_mean
from cloudsync.spec.words import quote

_NO_HOSTS = "add it to a host"


def policies(draft: Draft) -> Iterator[Finding]:
    for name, group in draft.placement_groups.items():
        if "max_per_host" in group.model_fields_set and group.policy != "anti-affinity":
            message = f"max_per_host means nothing with the policy {group.policy}"
            hint = "remove it, or use  policy: anti-affinity"
            yield Finding(("placement_groups", name, "max_per_host"), message, hint)


def zones(draft: Draft) -> Iterator[Finding]:
    known = frozenset(host.zone for host in draft.hosts.values()) - {""}
    for base, instance in draft.instances.items():
        zone = instance.placement.zone
        if zone and zone not in known and not _broken_hosts(draft):
            trail: Trail = ("instances", base, "placement", "zone")
            yield Finding(
                trail, f"no host is in zone {quote(zone)}", did_you_mean(zone, known, _NO_HOSTS), needs="hosts"
            )


def labels(draft: Draft) -> Iterator[Finding]:
    known: dict[str, set[str]] = {}
    for host in draft.hosts.values():
        for key, value in host.labels.items():
            known.setdefault(key, set()).add(value)
    for base, instance in draft.instances.items():
        for key, value in instance.placement.labels.items():
            if value in known.get(key, ()) or _broken_hosts(draft):
                continue
            trail: Trail = ("instances", base, "placement", "labels", key)
            if key in known:
                message, hint = f"no host has {key}: {quote(value)[1:-1]}", did_you_mean(value, known[key])
            else:
                message, hint = f"no host has a label {quote(key)}", did_you_mean(key, known, _NO_HOSTS)
            yield Finding(trail, message, hint, at_key=key not in known, needs="hosts")


def contradictions(draft: Draft) -> Iterator[Finding]:
    """A named host that the other constraints rule out."""
    for base, instance in draft.instances.items():
        wanted = instance.placement
        host = draft.hosts.get(wanted.host)
        if host is None:
            continue
        trail: Trail = ("instances", base, "placement", "host")
        if wanted.zone and host.zone != wanted.zone:
            where = f"in zone {quote(host.zone)}" if host.zone else "in no zone"
            message = f"host {quote(wanted.host)} is {where}, and zone {quote(wanted.zone)} is asked for too"
            yield Finding(trail, message, "keep one of the two")
        for key, value in wanted.labels.items():
            if host.labels.get(key) != value:
                message = f"host {quote(wanted.host)} does not have {key}: {quote(value)[1:-1]}, which is asked for too"
                yield Finding(trail, message, "keep one of the two")


def _broken_hosts(draft: Draft) -> bool:
    """Some host could not be read: nobody knows what it has."""
    return len(draft.hosts) < len(draft.names["hosts"])


CHECKS = (policies, zones, labels, contradictions)
