"""Hosts: their URIs, and what tells them apart."""

import re
from collections.abc import Iterator

from cloudsync.spec.draft import Draft
from cloudsync.spec.finding import Finding
from cloudsync.spec.remote import remote
from cloudsync.spec.subnets import address, is_ipv6, subnet
from cloudsync.spec.uri import Reach, UriError, reach, simulated
from cloudsync.spec.words import quote

_SSH = re.compile(
    r"([A-Za-z0-9_][A-Za-z0-9_.-]{0,31}@)?([A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?"
)


def uris(draft: Draft) -> Iterator[Finding]:
    for name, host in draft.hosts.items():
        try:
            found = reach(host.uri)
        except UriError as error:
            yield Finding(("hosts", name, "uri"), str(error), error.hint, secret="@" in host.uri)
            continue
        if host.ssh and found in (Reach.LOCAL, Reach.SIMULATED):
            what = "simulated" if found is Reach.SIMULATED else "this machine itself"
            yield Finding(
                ("hosts", name, "ssh"), f"host {quote(name)} is {what}: nothing is reached by ssh", "remove ssh"
            )
        elif host.ssh and not _SSH.fullmatch(host.ssh):
            yield Finding(
                ("hosts", name, "ssh"), f"{quote(host.ssh)} is not USER@HOST:PORT", "for example root@kvm-1:22"
            )
        else:
            yield from _remote(name, host.uri, host.ssh)


def _remote(name: str, uri: str, ssh: str | None) -> Iterator[Finding]:
    """What ssh could not do as the URI says."""
    try:
        remote(uri, ssh)
    except UriError as error:
        yield Finding(("hosts", name, "uri"), str(error), error.hint, secret="@" in uri)


def one_machine_once(draft: Draft) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name, host in draft.hosts.items():
        machine = _machine(name, host.uri)
        if machine is None:
            continue
        if machine in seen:
            message = f"host {quote(name)} is the same machine as {quote(seen[machine])}"
            yield Finding(("hosts", name, "uri"), message, "name each machine once")
        seen.setdefault(machine, name)


def _machine(name: str, uri: str) -> str | None:
    """The same text for the same machine. Simulated ones are told apart by their state files."""
    try:
        found = reach(uri)
    except UriError:
        return None
    if found is Reach.SIMULATED:
        return f"file {simulated(uri).file(name)}"
    return uri if found is not Reach.LOCAL else "local"


def addresses(draft: Draft) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name, host in draft.hosts.items():
        if not host.address:
            continue
        trail = ("hosts", name, "address")
        found = address(host.address)
        if found is None:
            hint = (
                "hosts reach each other by IPv4 in this version" if is_ipv6(host.address) else "for example 192.0.2.11"
            )
            yield Finding(trail, f"{quote(host.address)} is not an IPv4 address", hint)
            continue
        if host.address in seen:
            yield Finding(
                trail, f"host {quote(seen[host.address])} has the address {found} already", "give each its own"
            )
        seen.setdefault(host.address, name)
        ranges = ((other, subnet(network.subnet)) for other, network in draft.networks.items())
        inside = next((f"{quote(other)} ({range_})" for other, range_ in ranges if range_ and found in range_), None)
        if inside is not None:
            message = f"{found} is inside network {inside}, which belongs to instances"
            yield Finding(trail, message, "use the address that other hosts know this one by")


def underlay(draft: Draft) -> Iterator[Finding]:
    """Hosts that share a cloud carry packets to each other's instances."""
    real = [name for name, host in draft.hosts.items() if _kind(host.uri) not in (None, Reach.SIMULATED)]
    for name in real if len(real) > 1 else ():
        if not draft.hosts[name].address:
            yield Finding(
                ("hosts", name),
                f"host {quote(name)} has no address, and other hosts send it what is for its instances",
                "write  address:  the IPv4 address that they reach it by",
            )


def _kind(uri: str) -> Reach | None:
    try:
        return reach(uri)
    except UriError:
        return None


CHECKS = (uris, one_machine_once, addresses, underlay)
