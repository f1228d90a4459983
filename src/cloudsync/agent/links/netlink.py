"""The only door to the kernel's routing (pyroute2): our guards among the rules of routing, addresses and routes."""

import errno
from collections.abc import Iterable, Sequence
from typing import Any

from cloudsync.agent.links.guard import MARK, PROTOCOL, Guard
from cloudsync.agent.links.tap import Tap
from cloudsync.model.problem import HostError

_MAIN = 254
_FAMILY = 2
_TO_TABLE, _PROHIBIT = 1, 8
_LINK = 253


def local_addresses() -> frozenset[str]:
    """Every IPv4 address of this host."""
    with _routing() as routing:
        return frozenset(str(address.get("IFA_LOCAL")) for address in routing.get_addr(family=_FAMILY))


def bears(tap: Tap) -> bool:
    """Whether it has its address, wherever among others."""
    with _routing() as routing:
        index = routing.link_lookup(ifname=tap.name)
        found = routing.get_addr(family=_FAMILY, index=index[0]) if index else ()
        return any((one.get("IFA_LOCAL"), one.get("IFA_ADDRESS")) == (tap.gateway, tap.address) for one in found)


def give_address(tap: Tap) -> None:
    """The kernel adds the route. HostError when it refuses; a tap that has gone meanwhile needs none."""
    _give(tap, "addr", "add", local=tap.gateway, address=tap.address, prefixlen=32)


def give_route(tap: Tap) -> None:
    """Over whatever else leads to that address. HostError when the kernel refuses."""
    _give(tap, "route", "replace", dst=f"{tap.address}/32", prefsrc=tap.gateway, scope=_LINK, proto=PROTOCOL)


def _give(tap: Tap, kind: str, verb: str, **what: Any) -> None:
    from pyroute2 import NetlinkError

    with _routing() as routing:
        index = routing.link_lookup(ifname=tap.name)
        if not index:
            return
        try:
            getattr(routing, kind)(verb, **what, **{"index" if kind == "addr" else "oif": index[0]})
        except NetlinkError as refusal:
            if refusal.code not in (errno.EEXIST, errno.ENODEV, errno.ENETDOWN):
                raise HostError(f"the kernel refused the {kind} of {tap.name}: {refusal}", "apply again") from None


def present() -> dict[Guard, int]:
    """Our guards that are in the kernel, with how often; a rule of ours that is no guard of ours counts as nothing."""
    found: dict[Guard, int] = {}
    with _routing() as routing:
        for message in _ours(routing):
            guard = _guard(message)
            if guard:
                found[guard] = found.get(guard, 0) + 1
    return found


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


def _routing() -> Any:
    from pyroute2 import IPRoute

    return IPRoute()


def _ours(routing: Any) -> list[Any]:
    return [message for message in routing.get_rules(family=_FAMILY) if message.get("FRA_PROTOCOL") == PROTOCOL]


def _guard(message: Any) -> Guard | None:
    local, outward = message.get("FRA_IIFNAME") == "lo", bool(message["src_len"])
    address, length = ("FRA_SRC", "src_len") if outward else ("FRA_DST", "dst_len")
    guard = Guard(local, outward, f"{message.get(address)}/{message[length]}")
    asked = _specification(guard)
    wanted = (asked["action"], asked.get("fwmark") or 0, asked.get("fwmask") or 0)
    found = (message["action"], message.get("FRA_FWMARK") or 0, message.get("FRA_FWMASK") or 0)
    same = message.get("FRA_PRIORITY") == guard.priority and wanted == found
    return guard if same else None


def _change_all(verb: str, guards: Sequence[Guard]) -> None:
    if guards:
        with _routing() as routing:
            for guard in guards:
                _change(routing, verb, guard)


def _change(routing: Any, verb: str, guard: Guard) -> None:
    from pyroute2 import NetlinkError

    try:
        routing.rule(verb, **_specification(guard))
    except NetlinkError as refusal:
        if (verb, refusal.code) in (("add", errno.EEXIST), ("del", errno.ENOENT)):
            return
        raise HostError(
            f"the kernel refused `ip rule {verb} {guard}`: {refusal}", "the agent must run as root"
        ) from None


def _specification(guard: Guard) -> dict[str, Any]:
    address, _, length = guard.subnet.partition("/")
    side = "src" if guard.outward else "dst"
    common = {"priority": guard.priority, "family": _FAMILY, "protocol": PROTOCOL}
    where = {side: address, f"{side}_len": int(length)}
    if guard.local:
        return common | where | {"iifname": "lo", "table": _MAIN, "action": _TO_TABLE}
    return common | where | {"fwmark": 0, "fwmask": MARK, "action": _PROHIBIT}
