"""Networks: subnets that can be used, gateways and forwarders."""

from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Network

from cloudsync.spec.checks.addresses import nics
from cloudsync.spec.draft import Draft
from cloudsync.spec.finding import Finding
from cloudsync.spec.subnets import address, any_address, gateway, is_ipv6, room, subnet
from cloudsync.spec.words import count, listing, quote

RESERVED = (
    (IPv4Network("0.0.0.0/8"), "this network itself"),
    (IPv4Network("127.0.0.0/8"), "loopback"),
    (IPv4Network("169.254.0.0/16"), "link-local, the metadata service among it"),
    (IPv4Network("224.0.0.0/4"), "multicast"),
    (IPv4Network("240.0.0.0/4"), "never routed"),
)


def subnets(draft: Draft) -> Iterator[Finding]:
    for name, network in draft.networks.items():
        trail = ("networks", name, "subnet")
        found = subnet(network.subnet)
        if found is None:
            yield _no_subnet(trail, network.subnet)
            continue
        if str(found.network_address) != network.subnet.partition("/")[0]:
            yield Finding(trail, f"{quote(network.subnet)} has host bits set", f"write {found}")
            continue
        if found.prefixlen > 30:
            message = f"{found} has no room for a gateway and an instance"
            yield Finding(trail, message, "the smallest subnet is a /30, for one instance")
        met = [f"{range_} ({what})" for range_, what in RESERVED if found.overlaps(range_)]
        if met:
            message = f"{found} overlaps {listing(met, 'and')}"
            yield Finding(trail, message, "use a private range, such as 10.20.0.0/16")


def _no_subnet(trail: tuple[str, ...], text: str) -> Finding:
    if is_ipv6(text):
        return Finding(trail, f"{quote(text)} is IPv6, and guests have IPv4 only in this version", "use 10.20.0.0/16")
    hint = f"write {text}/24, or the length you want" if address(text) is not None else "for example 10.20.0.0/16"
    return Finding(trail, f"{quote(text)} is not an IPv4 subnet", hint)


def overlaps(draft: Draft) -> Iterator[Finding]:
    """Sorted by first address, so that thousands of networks cost no more than a sort."""
    known = [
        (found, name)
        for name, network in draft.networks.items()
        if (found := subnet(network.subnet)) is not None and not any(found.overlaps(range_) for range_, _ in RESERVED)
    ]
    known.sort(key=lambda item: (int(item[0].network_address), item[0].prefixlen))
    widest: tuple[IPv4Network, str] | None = None
    for found, name in known:
        if widest is not None and found.overlaps(widest[0]):
            message = f"{found} of network {quote(name)} overlaps {widest[0]} of network {quote(widest[1])}"
            yield Finding(("networks", name, "subnet"), message, "give each network addresses of its own")
        else:
            widest = (found, name)


def gateways(draft: Draft) -> Iterator[Finding]:
    for name, network in draft.networks.items():
        found = subnet(network.subnet)
        if not network.gateway or found is None:
            continue
        trail = ("networks", name, "gateway")
        written = address(network.gateway)
        first = found.network_address + 1
        if written is None:
            yield Finding(trail, f"{quote(network.gateway)} is not an IPv4 address", f"for example {first}")
        elif written not in found:
            yield Finding(trail, f"the gateway {written} is not in {found}", f"for example {first}")
        elif written in (found.network_address, found.broadcast_address):
            which = "network's own" if written == found.network_address else "broadcast"
            yield Finding(trail, f"the gateway {written} is the {which} address of {found}", f"for example {first}")


def forwarders(draft: Draft) -> Iterator[Finding]:
    own = {str(gateway(found, n.gateway)): name for name, n in draft.networks.items() if (found := subnet(n.subnet))}
    for name, network in draft.networks.items():
        seen: set[str] = set()
        for index, text in enumerate(network.dns):
            trail = ("networks", name, "dns", index)
            found_address = any_address(text)
            if found_address is None:
                yield Finding(trail, f"{quote(text)} is not an address", "write the address of a DNS server: 9.9.9.9")
            elif str(found_address) in own:
                message = f"{text} is the gateway of network {quote(own[str(found_address)])}: it would ask itself"
                yield Finding(trail, message, "write the address of a DNS server outside: 9.9.9.9")
            elif text in seen:
                yield Finding(trail, f"{text} is here twice", "remove one")
            seen.add(text)


def capacity(draft: Draft) -> Iterator[Finding]:
    wanted: Counter[str] = Counter()
    for card in nics(draft):
        wanted[card.network] += card.copies
    for name, network in draft.networks.items():
        found = subnet(network.subnet)
        if found is not None and found.prefixlen <= 30 and wanted[name] > room(found):
            message = f"{found} has room for {count(room(found), 'instance')}, and {wanted[name]} are in it"
            yield Finding(("networks", name, "subnet"), message, f"use a larger subnet: {_larger(found, wanted[name])}")


def _larger(network: IPv4Network, wanted: int) -> IPv4Network:
    while room(network) < wanted and network.prefixlen > 0:
        network = network.supernet()
    return network


CHECKS = (subnets, overlaps, gateways, forwarders, capacity)
