"""The only door to the kernel's routing (pyroute2): our guards among the rules of routing, and the host's addresses."""

import errno
from collections.abc import Iterable, Sequence
from typing import Any

from cloudsync.agent.links.guard import MARK, PROTOCOL, Guard
from cloudsync.model.problem import HostError

_MAIN = 254
_FAMILY = 2
_TO_TABLE, _PROHIBIT = 1, 8


def local_addresses() -> frozenset[str]:
    """Every IPv4 address of this host."""
    with _routing() as routing:
        return frozenset(str(address.get("IFA_LOCAL")) for address in routing.get_addr(family=_FAMILY))


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
