"""Floating addresses: one for each instance, and nobody else's: no instance's, no network's, no host's."""

from collections.abc import Iterator

from cloudsync.spec.checks.networks import RESERVED
from cloudsync.spec.draft import Draft
from cloudsync.spec.finding import Finding, Trail
from cloudsync.spec.members import members
from cloudsync.spec.subnets import address, gateway, subnet
from cloudsync.spec.words import count, quote

_HINT = "use an address of the uplink's network that nothing else has"


def one_for_each(draft: Draft) -> Iterator[Finding]:
    for base, instance in draft.instances.items():
        if instance.floating_ip is None:
            continue
        have, wanted = len(_listed(instance.floating_ip)), len(members(base, instance))
        if have != wanted:
            message = f"{count(have, 'floating address', 'floating addresses')} for {count(wanted, 'instance')}"
            yield Finding(("instances", base, "floating_ip"), message, "write one for each")


def nobody_elses(draft: Draft) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for base, trail, text in _written(draft):
        if address(text) is None:
            yield Finding(trail, f"{quote(text)} is not an IPv4 address", "for example 203.0.113.10")
            continue
        if text in seen:
            message = f"instance {quote(seen[text])} has the floating address {text} already"
            yield Finding(trail, message, "an address leads to one instance: take it out of one of the two")
        seen.setdefault(text, base)
        other = _owner(draft, text)
        if other:
            yield Finding(trail, f"{text} {other}", _HINT)


def _written(draft: Draft) -> Iterator[tuple[str, Trail, str]]:
    """(instance, where, text) of every one."""
    for base, instance in draft.instances.items():
        above: Trail = ("instances", base, "floating_ip")
        for index, text in enumerate(_listed(instance.floating_ip)):
            yield base, (*above, index) if isinstance(instance.floating_ip, list) else above, text


def _listed(written: str | list[str] | None) -> list[str]:
    if written is None:
        return []
    return written if isinstance(written, list) else [written]


def _owner(draft: Draft, text: str) -> str:
    """Whose it is already, in words; empty when it is free."""
    found = address(text)
    for name, network in draft.networks.items():
        range_ = subnet(network.subnet)
        if range_ is not None and found == gateway(range_, network.gateway):
            return f"is the gateway of network {quote(name)}"
        if range_ is not None and found in range_:
            return f"is inside network {quote(name)} ({range_}), which has addresses of its own"
    for name, host in draft.hosts.items():
        if host.address == text:
            return f"is the address of host {quote(name)}"
    reserved = next((what for range_, what in RESERVED if found in range_), None)
    return f"cannot be reached from outside: {reserved}" if reserved else ""


CHECKS = (one_for_each, nobody_elses)
