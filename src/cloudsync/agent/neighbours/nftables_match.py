"""One match of nft's JSON into the conditions of foreign.py (pure); for nftables.py."""

from collections.abc import Iterator
from typing import Any

from cloudsync.agent.neighbours.foreign import UNREADABLE, Asks, Condition
from cloudsync.model.resources import WITH_PORTS

_META = {
    "iifname": Asks.INPUT,
    "iif": Asks.INPUT,
    "oifname": Asks.OUTPUT,
    "oif": Asks.OUTPUT,
    "l4proto": Asks.PROTOCOL,
    "nfproto": Asks.FAMILY,
    "protocol": Asks.FAMILY,
}
_FIELDS = {
    ("ip", "saddr"): Asks.SOURCE,
    ("ip", "daddr"): Asks.TARGET,
    ("ip", "protocol"): Asks.PROTOCOL,
    ("icmp", "type"): Asks.ICMP,
    ("th", "sport"): Asks.SOURCE_PORT,
    ("th", "dport"): Asks.TARGET_PORT,
}
_PORTS = {"sport": Asks.SOURCE_PORT, "dport": Asks.TARGET_PORT}
_IPV6 = ("ip6", "icmpv6")
_WORDS = {"6": "tcp", "17": "udp", "1": "icmp", "132": "sctp", "58": "ipv6-icmp", "icmpv6": "ipv6-icmp", "ip": "ipv4"}
_ICMP = {"echo-reply": "0", "destination-unreachable": "3", "redirect": "5", "echo-request": "8", "time-exceeded": "11"}


def conditions(match: dict[str, Any]) -> tuple[Condition, ...]:
    """All that a match asks; UNREADABLE among them when something of it is not known here."""
    operator = match["op"]
    if operator not in ("==", "in", "!="):
        return (UNREADABLE,)
    try:
        left, implied = _left(match["left"])
        right = tuple(_spelled(left, one) for one in values(match["right"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return (UNREADABLE,)
    return (*implied, Condition(left, right, operator == "!="))


def values(right: Any) -> Iterator[str]:
    """Every value of a match's right side as text. Raise ValueError for a named set: its elements are elsewhere."""
    if isinstance(right, list):
        for one in right:
            yield from values(one)
    elif isinstance(right, dict):
        ((kind, body),) = right.items()
        yield from _listed(kind, body)
    elif isinstance(right, bool) or str(right).startswith("@"):
        raise ValueError(right)
    else:
        yield str(right)


def _listed(kind: str, body: Any) -> Iterator[str]:
    if kind in ("set", "|"):
        yield from values(body)
    elif kind == "elem":
        yield from values(body["val"])
    elif kind == "prefix":
        yield f"{body['addr']}/{body['len']}"
    elif kind == "range":
        yield f"{body[0]}-{body[1]}"
    else:
        raise ValueError(kind)


def _left(left: dict[str, Any]) -> tuple[Asks, tuple[Condition, ...]]:
    """What is asked about, and what else asking it implies. Raise KeyError for anything unknown."""
    ((kind, body),) = left.items()
    if kind == "meta":
        return _META[body["key"]], ()
    if kind == "payload":
        return _field(body["protocol"], body["field"])
    if kind == "ct" and set(body) == {"key"}:
        return {"state": Asks.STATE, "status": Asks.STATUS}[body["key"]], ()
    if kind == "fib" and (body["result"], _flags(body)) == ("type", ("daddr",)):
        return Asks.TARGET_KIND, ()
    raise KeyError(kind)


def _flags(body: dict[str, Any]) -> tuple[str, ...]:
    flags = body["flags"]
    return (flags,) if isinstance(flags, str) else tuple(flags)


def _field(protocol: str, name: str) -> tuple[Asks, tuple[Condition, ...]]:
    """A field of a protocol's header is only there in that protocol's packets."""
    if protocol in _IPV6:
        return Asks.FAMILY, (Condition(Asks.NEVER),)
    if protocol in WITH_PORTS:
        return _PORTS[name], (Condition(Asks.PROTOCOL, (protocol,)),)
    implied = (Condition(Asks.PROTOCOL, ("icmp",)),) if protocol == "icmp" else ()
    return _FIELDS[protocol, name], implied


def _spelled(asks: Asks, value: str) -> str:
    if asks in (Asks.PROTOCOL, Asks.FAMILY):
        return _WORDS.get(value, value)
    return _ICMP.get(value, value) if asks is Asks.ICMP else value
