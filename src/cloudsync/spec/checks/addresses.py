"""Instances' network cards: one network or a list, fixed addresses that exist and are given once."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import NamedTuple

from cloudsync.spec.draft import Draft
from cloudsync.spec.finding import Finding, Trail
from cloudsync.spec.members import default_network
from cloudsync.spec.subnets import address, gateway, subnet
from cloudsync.spec.words import count, quote

MOST_CARDS = 16


class Card(NamedTuple):
    """A network card as written, for `copies` instances. `trail` leads to it; `network` may not exist."""

    base: str
    network: str
    trail: Trail
    address: str = ""
    copies: int = 1


def nics(draft: Draft) -> Iterator[Card]:
    """Every card of every instance; none where nothing says which network."""
    usual = default_network(draft.names["networks"])
    for base, instance in draft.instances.items():
        copies = 1 if instance.count is None else instance.count
        if instance.networks is not None:
            for index, nic in enumerate(instance.networks):
                yield Card(base, nic.name, ("instances", base, "networks", index), nic.address, copies)
        elif instance.network or usual:
            yield Card(base, instance.network or usual or "", ("instances", base, "network"), "", copies)


def one_way(draft: Draft) -> Iterator[Finding]:
    for base, instance in draft.instances.items():
        above: Trail = ("instances", base)
        if instance.network and instance.networks is not None:
            yield Finding((*above, "network"), '"network" and "networks" are both there', "keep one of the two")
        if instance.networks == []:
            message = f"instance {quote(base)} has no network: it could not be reached, nor get its metadata"
            yield Finding((*above, "networks"), message, "name at least one, or remove the line for the default one")
        if len(instance.networks or ()) > MOST_CARDS:
            message = f"{len(instance.networks or ())} network cards are more than {MOST_CARDS}"
            yield Finding((*above, "networks"), message, "route between networks instead: all of them can be reached")
        if not instance.network and instance.networks is None:
            yield from _no_default(draft, base)


def _no_default(draft: Draft, base: str) -> Iterator[Finding]:
    known = draft.names["networks"]
    if default_network(known) is not None:
        return
    if known:
        message = f"instance {quote(base)} does not say which of {len(known)} networks it is in"
        yield Finding(("instances", base), message, "add  network: NAME, or name one of them default", at_key=True)
    else:
        message = f"instance {quote(base)} needs a network, and there is none"
        hint = "add  networks: {default: {subnet: 10.20.0.0/16}}"
        yield Finding(("instances", base), message, hint, at_key=True, needs="networks")


def fixed(draft: Draft) -> Iterator[Finding]:
    seen: dict[tuple[str, IPv4Address], Card] = {}
    for card in nics(draft):
        if not card.address:
            continue
        trail = (*card.trail, "address")
        network = draft.networks.get(card.network)
        range_ = subnet(network.subnet) if network else None
        found = address(card.address)
        if found is None:
            example = range_.broadcast_address - 1 if range_ else "10.20.0.20"
            yield Finding(trail, f"{quote(card.address)} is not an IPv4 address", f"for example {example}")
            continue
        if network is not None and range_ is not None:
            yield from _unusable(trail, card.network, found, range_, gateway(range_, network.gateway))
        if card.copies > 1:
            message = f"{count(card.copies, 'instance')} cannot share the address {found}"
            yield Finding(trail, message, "remove the address, or write the instances one by one")
        other = seen.setdefault((card.network, found), card)
        if other is not card:
            who = "another card of this instance" if other.base == card.base else f"instance {quote(other.base)}"
            yield Finding(trail, f"{who} has the address {found} already", "give it another")


def _unusable(
    trail: Trail, network: str, found: IPv4Address, range_: IPv4Network, gate: IPv4Address | None
) -> Iterator[Finding]:
    if found not in range_:
        yield Finding(trail, f"{found} is not in {range_} of network {quote(network)}", "use an address of that subnet")
        return
    taken = {
        gate: "the gateway",
        range_.network_address: "the network's own address",
        range_.broadcast_address: "the broadcast address",
    }
    if found in taken:
        yield Finding(trail, f"{found} is {taken[found]} of network {quote(network)}", "use another address")


CHECKS = (one_way, fixed)
