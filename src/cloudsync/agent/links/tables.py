"""Our routes and the addresses the kernel answers ARP for: what is there, and changing it. Through netlink.py.

All bear our protocol number; nobody else's is seen here. Proxied addresses are bound to no device: they outlive an
uplink that goes down, or comes later than the agent.
"""

import errno
from collections.abc import Collection, Iterator, Mapping, Set
from typing import Any

from cloudsync.agent.links import listing
from cloudsync.agent.links.guard import PROTOCOL
from cloudsync.agent.links.interface import host_routes
from cloudsync.agent.links.netlink import FAMILY, LINK, MAIN, request, routing
from cloudsync.agent.links.routes import DEVICE, Route

_PROXY = 0x08
_DESTINATION, _NEIGHBOUR_PROTOCOL = 1, 12
_UNICAST, _UNREACHABLE = 1, 7


def unreachable() -> frozenset[Route]:
    """Where packets end with an ICMP error because of us."""
    asked = (MAIN, PROTOCOL, _UNREACHABLE)
    found = set()
    for (_, length, _, _, table, protocol, _, kind, _), held in listing.routes(*asked):
        if (table, protocol, kind) == asked:
            found.add(Route(f"{listing.address(held.get(_DESTINATION))}/{length}"))
    return frozenset(found)


def swallowed() -> frozenset[Route]:
    """Whatever leads to our device. Read without netlink, which takes a tenth of a millisecond for each."""
    return frozenset(Route(f"{address}/32", name) for name, address in host_routes() if name == DEVICE)


def differences(wanted: Mapping[Route, str], there: Set[Route], host: str) -> Iterator[tuple[str, str]]:
    """(whose, what is wrong)."""
    for route in sorted(wanted.keys() - there):
        yield wanted[route], f"the route `{route}` is missing"
    for route in sorted(there - wanted.keys()):
        yield host, f"the route `{route}` is not wanted"


def add_routes(wanted: Collection[Route]) -> None:
    """Raise HostError when the kernel refuses."""
    if wanted:
        with routing() as kernel:
            index = _made(kernel) if any(route.device for route in wanted) else None
            for route in sorted(wanted):
                request(f"ip route add {route}", errno.EEXIST, kernel.route, "add", **_specification(route, index))


def delete_routes(unwanted: Collection[Route]) -> None:
    """One that is gone already is no error."""
    if unwanted:
        with routing() as kernel:
            index = _index(kernel)
            for route in sorted(unwanted):
                request(f"ip route del {route}", errno.ESRCH, kernel.route, "del", **_specification(route, index))


def delete_device() -> None:
    """With the routes that lead there."""
    with routing() as kernel:
        index = _index(kernel)
        if index is not None:
            request(f"ip link del {DEVICE}", errno.ENODEV, kernel.link, "del", index=index)


def _specification(route: Route, index: int | None) -> dict[str, Any]:
    common = {"dst": route.destination, "proto": PROTOCOL, "table": MAIN, "family": FAMILY}
    if not route.device:
        return common | {"type": _UNREACHABLE}
    return common | {"type": _UNICAST, "scope": LINK, "oif": index}


def _made(kernel: Any) -> int | None:
    """Its index; made and set up where it is not."""
    request(f"ip link add {DEVICE} type bridge", errno.EEXIST, kernel.link, "add", ifname=DEVICE, kind="bridge")
    index = _index(kernel)
    request(f"ip link set {DEVICE} up", 0, kernel.link, "set", index=index, state="up")
    return index


def _index(kernel: Any) -> int | None:
    found = kernel.link_lookup(ifname=DEVICE)
    return int(found[0]) if found else None


def answered() -> frozenset[str]:
    """Addresses that the host answers for because of us."""
    found = (held for numbers, held in listing.neighbours(_PROXY) if numbers[-2] & _PROXY)
    ours = (held for held in found if listing.number(held.get(_NEIGHBOUR_PROTOCOL)) == PROTOCOL)
    return frozenset(listing.address(held.get(_DESTINATION)) for held in ours)


def answer(addresses: Collection[str]) -> None:
    """Raise HostError when the kernel refuses."""
    if addresses:
        with routing() as kernel:
            for address in sorted(addresses):
                request(f"ip neigh add proxy {address}", errno.EEXIST, kernel.neigh, "add", **_proxy(address))


def fall_silent(addresses: Collection[str]) -> None:
    """Answer for them no more."""
    if addresses:
        with routing() as kernel:
            for address in sorted(addresses):
                request(f"ip neigh del proxy {address}", errno.ENOENT, kernel.neigh, "del", **_proxy(address))


def _proxy(address: str) -> dict[str, Any]:
    return {"dst": address, "family": FAMILY, "flags": _PROXY, "protocol": PROTOCOL, "state": 0}
