"""The tunnel between hosts in the kernel: its device, and where that sends what is for which host. Through netlink.py.

It learns nothing and asks nobody: an entry of its neighbour table names another host's MAC, one of its forwarding table
that host's address, and both stay as they are written.
"""

import errno
from collections.abc import Collection
from typing import Any

from cloudsync.agent.links import listing, sysctl, ways
from cloudsync.agent.links.guard import PROTOCOL
from cloudsync.agent.links.netlink import FAMILY, request, routing
from cloudsync.agent.links.remote import DEVICE, PORT, Peer, Tunnel
from cloudsync.model.document import TUNNEL_OVERHEAD
from cloudsync.model.problem import HostError

_PERMANENT = 0x80
_TARGET, _MAC = 1, 2
_LOCAL = 2
_UP = 1


def mtus() -> dict[str, int]:
    """What fits into one packet on the device of each of this host's addresses; taps, and what is ours, left out."""
    held = [(number, listing.address(found.get(_LOCAL))) for (*_, number), found in listing.addresses()]
    devices = {number: listing.device(number) for number in {one for one, _ in held}}
    found = ((devices[number], local) for number, local in held)
    return {local: one[1] for one, local in found if one and not one[0].startswith(("cs-", DEVICE))}


def make(wanted: Tunnel) -> None:
    """Made anew where it is another. Raise HostError when the kernel refuses, or the host has no such address."""
    if wrong(wanted) is None:
        return
    size = _size(wanted)
    with routing() as kernel:
        if _number(kernel) is not None:
            request(f"ip link del {DEVICE}", errno.ENODEV, kernel.link, "del", index=_number(kernel))
        shown = f"ip link add {DEVICE} type vxlan id {wanted.number} local {wanted.address} dstport {PORT} nolearning"
        request(shown, 0, kernel.link, "add", **_specification(wanted, size))
        sysctl.put(f"net/ipv6/conf/{DEVICE}/disable_ipv6", 1, needed=False)
        request(f"ip link set {DEVICE} up", 0, kernel.link, "set", index=_number(kernel), state="up")


def delete() -> None:
    """With the routes that lead there."""
    if ways.index():
        with routing() as kernel:
            request(f"ip link del {DEVICE}", errno.ENODEV, kernel.link, "del", index=_number(kernel))


def wrong(wanted: Tunnel) -> str | None:
    """What is to be said of a device that is not as it must be."""
    with routing() as kernel:
        number = _number(kernel)
        if number is None:
            return f"the device {DEVICE} is missing: packets do not get to other hosts"
        (link,) = kernel.get_links(number)
    information = link.get("IFLA_LINKINFO")
    data = information.get("IFLA_INFO_DATA") if information else None
    there = (
        information.get("IFLA_INFO_KIND") if information else None,
        *((data.get(f"IFLA_VXLAN_{one}") for one in ("ID", "LOCAL", "PORT", "LEARNING")) if data else ()),
        link.get("IFLA_ADDRESS"),
        link.get("IFLA_MTU"),
        link["flags"] & _UP,
    )
    goal = ("vxlan", wanted.number, wanted.address, PORT, 0, wanted.mac, _size(wanted), _UP)
    return None if there == goal else f"the device {DEVICE} is not as it was made"


def known() -> frozenset[Peer]:
    """Other hosts that the device sends to: in both of its tables."""
    index = ways.index()
    if not index:
        return frozenset()
    return _next_hops(index) & _sent(index)


def half() -> frozenset[Peer]:
    """Those that are in one of its tables only."""
    index = ways.index()
    if not index:
        return frozenset()
    return _next_hops(index) ^ _sent(index)


def learn(peers: Collection[Peer]) -> None:
    """Raise HostError when the kernel refuses."""
    _each("add", peers, errno.EEXIST)


def forget(peers: Collection[Peer]) -> None:
    """One that is gone already is no error."""
    _each("del", peers, errno.ENOENT)


def _each(verb: str, peers: Collection[Peer], needless: int) -> None:
    if not peers:
        return
    index = ways.index()
    with routing() as kernel:
        for peer in sorted(peers):
            next_hop = {"dst": peer.address, "family": FAMILY, "ifindex": index, "state": _PERMANENT}
            request(
                f"ip neigh {verb} {peer.address} lladdr {peer.mac} dev {DEVICE}",
                needless,
                kernel.neigh,
                verb,
                lladdr=peer.mac,
                protocol=PROTOCOL,
                **next_hop,
            )
            outer = {"ifindex": index, "lladdr": peer.mac, "dst": peer.address}
            request(
                f"bridge fdb {verb} {peer.mac} dev {DEVICE} dst {peer.address}", needless, kernel.fdb, verb, **outer
            )


def _next_hops(index: int) -> frozenset[Peer]:
    listed = listing.neighbours(0)
    return frozenset(_peer(held) for numbers, held in listed if numbers[3] == index and numbers[4] & _PERMANENT)


def _sent(index: int) -> frozenset[Peer]:
    return frozenset(_peer(held) for _, held in listing.forwarding(index) if _TARGET in held)


def _peer(held: dict[int, bytes]) -> Peer:
    return Peer(listing.address(held.get(_TARGET)), ":".join(f"{byte:02x}" for byte in held.get(_MAC, b"")))


def _number(kernel: Any) -> int | None:
    found = kernel.link_lookup(ifname=DEVICE)
    return int(found[0]) if found else None


def _size(wanted: Tunnel) -> int:
    """What an instance's packet may have."""
    there = mtus().get(wanted.address)
    if there is None:
        raise HostError(
            f"this host does not have the address {wanted.address}, by which other hosts are to reach it",
            "set the host's address in the spec to one that `ip address` shows there",
        )
    return there - TUNNEL_OVERHEAD


def _specification(wanted: Tunnel, size: int) -> dict[str, Any]:
    return {
        "ifname": DEVICE,
        "kind": "vxlan",
        "vxlan_id": wanted.number,
        "vxlan_local": wanted.address,
        "vxlan_port": PORT,
        "vxlan_learning": False,
        "address": wanted.mac,
        "mtu": size,
    }
