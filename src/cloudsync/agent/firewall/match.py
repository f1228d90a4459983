"""One expression of a rule against one packet (pure); `trace` walks a packet through the chains with it."""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv4Network

from cloudsync.agent.firewall.ruleset import Container
from cloudsync.model.dataclass import dataclass
from cloudsync.model.resources import WITH_PORTS


class Unreadable(Exception):
    """An expression that nothing here understands."""


@dataclass(slots=True)
class Frame:
    """A packet on its way: the first of its connection, of IPv4 without options, with no VLAN tag, not a fragment.

    `state` is what connection tracking takes it for, `back` the device that leads to its source. `dnat`: its target was
    translated; `here`: to the host itself. DHCP is asked from port 68.
    """

    source: str
    target: str
    protocol: int
    port: int | None
    icmp: tuple[int, int] | None
    mac: str
    iif: str
    back: str
    oif: str = ""
    state: str = "new"
    source_port: int = 49152
    mark: int = 0
    dnat: bool = False
    here: bool = False


Field = Callable[[Frame], "str | int | None"]
"""What a packet has there; None when it has no such field."""


def _port(protocol: int, target: bool) -> Field:
    return lambda frame: None if frame.protocol != protocol else frame.port if target else frame.source_port


FIELDS: Mapping[str, Field] = {
    "iifname": lambda frame: frame.iif,
    "oifname": lambda frame: frame.oif,
    "ether saddr": lambda frame: frame.mac,
    "ip saddr": lambda frame: frame.source,
    "ip daddr": lambda frame: frame.target,
    "ip protocol": lambda frame: frame.protocol,
    "meta l4proto": lambda frame: frame.protocol,
    "meta nfproto": lambda _: "ipv4",
    "meta mark": lambda frame: frame.mark,
    "fib saddr oifname": lambda frame: frame.back,
    "@nh,0,8": lambda _: 0x45,
    # In VXLAN: what comes in one is looked at when it is out.
    "@th,96,24": lambda _: None,
    "@th,96,8": lambda frame: 1 if frame.protocol == WITH_PORTS["sctp"] else None,
    "icmp type": lambda frame: frame.icmp[0] if frame.icmp else None,
    "icmp code": lambda frame: frame.icmp[1] if frame.icmp else None,
    **{
        f"{name} {side}": _port(number, side == "dport")
        for name, number in WITH_PORTS.items()
        for side in ("sport", "dport")
    },
}


def matches(part: str, frame: Frame, containers: Mapping[str, Container]) -> bool:
    """Raise Unreadable for what is no comparison that is known here."""
    if part.startswith("ct state "):
        return _listed(part.removeprefix("ct state "), {frame.state})
    if part.startswith("ct status "):
        return _listed(part.removeprefix("ct status "), {"dnat"} if frame.dnat else set())
    if part.startswith("tcp flags & "):
        return frame.protocol == 6 and part.endswith(" syn") is not part.endswith(" != syn")
    if part.startswith("meta mark & "):
        mask, _, other = part.removeprefix("meta mark & ").partition(" != ")
        return frame.mark & int(mask, 16) != int(other, 16)
    if part.startswith("fib saddr . iif oif "):
        return (frame.back == frame.iif) is part.endswith(" exists")
    if part.startswith("ip option ") and part.endswith(" exists"):
        return False
    names, operator, right = _split(part)
    found = [FIELDS[name](frame) for name in names]
    if any(value is None for value in found):
        return False
    texts = [str(value) for value in found]
    met = _within(texts, right[1:], containers) if right.startswith("@") else _same(texts[0], right)
    return met is not (operator == "!=")


def looked_up(part: str, frame: Frame, containers: Mapping[str, Container]) -> str:
    """What a verdict map says, `goto …`; empty when it says nothing."""
    name, _, chosen = part.partition(" vmap @")
    if name not in FIELDS or chosen not in containers:
        raise Unreadable(part)
    return containers[chosen].elements.get(str(FIELDS[name](frame)), "")


def _listed(wanted: str, has: set[str]) -> bool:
    negated = wanted.startswith("!= ")
    return bool(set(wanted.removeprefix("!= ").split(",")) & has) is not negated


def _split(part: str) -> tuple[list[str], str, str]:
    """The names on the left, the operator (`!=` or nothing), what is on the right."""
    *others, last = part.split(" . ")
    name = max((name for name in FIELDS if last.startswith(f"{name} ")), key=len, default="")
    if not name or any(other not in FIELDS for other in others):
        raise Unreadable(part)
    right = last.removeprefix(f"{name} ")
    operator = "!=" if right.startswith("!= ") else ""
    right = right.removeprefix("!= ")
    if " " in right or (others and not right.startswith("@")):
        raise Unreadable(part)
    return [*others, name], operator, right


def _within(found: list[str], name: str, containers: Mapping[str, Container]) -> bool:
    container = containers.get(name)
    if container is None:
        raise Unreadable(f"@{name}")
    if " . ".join(found) in container.elements:
        return True
    return bool(container.flags) and any(
        all(_same(value, part) for value, part in zip(found, key.split(" . "), strict=True))
        for key in container.elements
    )


def _same(found: str, wanted: str) -> bool:
    """Equal, or in the range, the network or the pattern that is wanted."""
    wanted = wanted.strip('"')
    if wanted.endswith("*"):
        return found.startswith(wanted[:-1])
    if found == wanted:
        return True
    try:
        if "/" in wanted:
            return IPv4Address(found) in IPv4Network(wanted)
        first, dash, last = wanted.partition("-")
        return bool(dash) and _number(first) <= _number(found) <= _number(last)
    except ValueError:
        return False


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else int(IPv4Address(text))
