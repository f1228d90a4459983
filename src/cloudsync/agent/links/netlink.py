"""The only door to the kernel's routing (pyroute2): our guards among the rules of routing, addresses and routes.

tables.py goes through it too.
"""

import errno
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Network
from typing import Any

from cloudsync.agent.links import listing
from cloudsync.agent.links.guard import MARK, PROTOCOL, Guard
from cloudsync.agent.links.tap import Tap
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import Occupied

MAIN = 254
FAMILY = 2
_TO_TABLE, _PROHIBIT = 1, 8
LINK = 253
_PEER, _LOCAL, _LABEL = 1, 2, 3
_TARGET, _SOURCE, _INTERFACE, _PRIORITY, _MARK, _MASK, _PROTOCOL = 1, 2, 3, 6, 10, 16, 21


def local_addresses() -> frozenset[str]:
    """Every IPv4 address of this host."""
    return frozenset(listing.address(held.get(_LOCAL)) for _, held in listing.addresses())


def occupied() -> tuple[Occupied, ...]:
    """What devices that are no taps of ours have."""
    found = []
    for (_, length, *_), held in listing.addresses():
        device = held.get(_LABEL, b"").rstrip(b"\0").decode(errors="replace")
        if not device.startswith("cs-"):
            subnet = IPv4Network(f"{listing.address(held.get(_PEER))}/{length}", strict=False)
            found.append(Occupied(device=device, address=listing.address(held.get(_LOCAL)), subnet=str(subnet)))
    return tuple(found)


def bears(tap: Tap) -> bool:
    """Whether it has its address, wherever among others."""
    with routing() as kernel:
        index = kernel.link_lookup(ifname=tap.name)
        found = kernel.get_addr(family=FAMILY, index=index[0]) if index else ()
        return any((one.get("IFA_LOCAL"), one.get("IFA_ADDRESS")) == (tap.gateway, tap.address) for one in found)


def set_up(tap: Tap) -> None:
    """The kernel adds the route to the address that it bears. HostError when it refuses."""
    _give(tap, "link", "set", state="up")


def give_address(tap: Tap) -> None:
    """The kernel adds the route. HostError when it refuses; a tap that has gone meanwhile needs none."""
    _give(tap, "addr", "add", local=tap.gateway, address=tap.address, prefixlen=32)


def give_route(tap: Tap) -> None:
    """Over whatever else leads to that address. HostError when the kernel refuses."""
    _give(tap, "route", "replace", dst=f"{tap.address}/32", prefsrc=tap.gateway, scope=LINK, proto=PROTOCOL)


def _give(tap: Tap, kind: str, verb: str, **what: Any) -> None:
    from pyroute2 import NetlinkError

    with routing() as kernel:
        index = kernel.link_lookup(ifname=tap.name)
        if not index:
            return
        try:
            getattr(kernel, kind)(verb, **what, **{"oif" if kind == "route" else "index": index[0]})
        except NetlinkError as refusal:
            if refusal.code not in (errno.EEXIST, errno.ENODEV, errno.ENETDOWN):
                raise HostError(f"the kernel refused the {kind} of {tap.name}: {refusal}", "apply again") from None


def present() -> dict[Guard, int]:
    """Our guards that are in the kernel, with how often; a rule of ours that is no guard of ours counts as nothing."""
    return Counter(guard for one in listing.rules() if (guard := _guard(one)) is not None)


def add(guards: Iterable[Guard]) -> None:
    """The looking up before the prohibiting, so that the host's own packets never fail. HostError when refused."""
    _change_all("add", sorted(guards, key=lambda guard: guard.priority))


def delete(guards: Iterable[Guard]) -> None:
    """In the other order. One that is gone already is no error."""
    _change_all("del", sorted(guards, key=lambda guard: -guard.priority))


def delete_guards() -> None:
    """All of ours, however often they are there."""
    found = [guard for guard, count in present().items() for _ in range(count)]
    if found:
        delete(found)


def routing() -> Any:
    """A socket to the kernel, to be used with `with`."""
    from pyroute2 import IPRoute

    return IPRoute()


def request(shown: str, needless: int, act: Callable[..., object], verb: str, **specification: object) -> None:
    """`act(verb, …)`; the errno `needless` says that there is nothing to do. HostError naming `shown` when refused."""
    from pyroute2 import NetlinkError

    try:
        act(verb, **specification)
    except NetlinkError as refusal:
        if refusal.code != needless:
            raise HostError(f"the kernel refused `{shown}`: {refusal}", "the agent must run as root") from None


def _guard(listed: listing.Listed) -> Guard | None:
    """None for a rule that is none of ours."""
    (_, target, source, *_, action, _), held = listed
    if listing.number(held.get(_PROTOCOL)) != PROTOCOL:
        return None
    subnet = f"{listing.address(held.get(_SOURCE if source else _TARGET))}/{source or target}"
    guard = Guard(held.get(_INTERFACE) == b"lo\0", bool(source), subnet)
    asked = _specification(guard)
    wanted = (guard.priority, asked["action"], asked.get("fwmark", 0), asked.get("fwmask", 0))
    priority, mark, mask = (listing.number(held.get(one)) for one in (_PRIORITY, _MARK, _MASK))
    return guard if (priority, action, mark, mask) == wanted else None


def _change_all(verb: str, guards: Sequence[Guard]) -> None:
    if guards:
        with routing() as kernel:
            for guard in guards:
                needless = errno.EEXIST if verb == "add" else errno.ENOENT
                request(f"ip rule {verb} {guard}", needless, kernel.rule, verb, **_specification(guard))


def _specification(guard: Guard) -> dict[str, Any]:
    address, _, length = guard.subnet.partition("/")
    side = "src" if guard.outward else "dst"
    common = {"priority": guard.priority, "family": FAMILY, "protocol": PROTOCOL}
    where = {side: address, f"{side}_len": int(length)}
    if guard.local:
        return common | where | {"iifname": "lo", "table": MAIN, "action": _TO_TABLE}
    return common | where | {"fwmark": 0, "fwmask": MARK, "action": _PROHIBIT}
