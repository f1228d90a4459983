"""The text of `iptables-save` (nft or legacy) into tables (pure)."""

import re
import shlex
from collections.abc import Callable, Iterator

from cloudsync.agent.neighbours.foreign import (
    IPTABLES,
    UNREADABLE,
    Act,
    Asks,
    Base,
    Chain,
    Condition,
    Rule,
    Table,
    Tool,
)

_HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
_PRIORITIES = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
_SOURCE_NAT = 100
_ENDINGS = {
    "ACCEPT": Act.ACCEPT,
    "DROP": Act.DROP,
    "REJECT": Act.REJECT,
    "RETURN": Act.RETURN,
    "MASQUERADE": Act.NAT,
    "SNAT": Act.NAT,
    "DNAT": Act.NAT,
    "REDIRECT": Act.NAT,
    "NETMAP": Act.NAT,
}
_ADDRESS = re.compile(r"[0-9./]+")
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "ipv6-icmp", "132": "sctp"}
_DECLARATION = re.compile(r":(\S+) (\S+)")


def read_tables(text: str, tool: Tool) -> tuple[Table, ...]:
    """Every table of the listing; lines that are none of iptables-save's are left out."""
    found: list[Table] = []
    bases: dict[str, Base | None] = {}
    rules: dict[str, list[Rule]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("*"):
            name, bases, rules = line[1:].strip(), {}, {}
        elif declared := _DECLARATION.match(line):
            bases[declared[1]] = _base(name, declared[1], declared[2])
        elif line.startswith("-A "):
            chain, _, rest = line[3:].partition(" ")
            rules.setdefault(chain, []).append(_rule(rest, bases))
        elif line.strip() == "COMMIT" and name:
            chains = {chain: Chain(tuple(rules.get(chain, ())), base) for chain, base in bases.items()}
            found.append(Table("ip", name, tool, chains))
    return tuple(found)


def _base(table: str, chain: str, policy: str) -> Base | None:
    if chain not in _HOOKS or table not in IPTABLES:
        return None
    source_nat = table == "nat" and chain in ("POSTROUTING", "INPUT")
    priority = _SOURCE_NAT if source_nat else _PRIORITIES[table]
    return Base("nat" if table == "nat" else "filter", chain.lower(), priority, policy == "DROP")


def _rule(text: str, chains: dict[str, Base | None]) -> Rule:
    try:
        words = shlex.split(text)
    except ValueError:
        return Rule((UNREADABLE,), Act.NEXT)
    conditions, ending = _conditions(words)
    if not ending:
        return Rule(conditions, Act.NEXT)
    how, target = ending
    act = _ENDINGS.get(target)
    if act is None and target in chains:
        return Rule(conditions, Act.GOTO if how in ("-g", "--goto") else Act.JUMP, target)
    return Rule(conditions, act or Act.NEXT)


def _conditions(words: list[str]) -> tuple[tuple[Condition, ...], tuple[str, str] | None]:
    """What a rule asks, and (-j or -g, target); what follows the target are its own options."""
    found: list[Condition] = []
    negated = False
    for option, values in _options(words):
        if option == "!":
            negated = True
            continue
        if option in ("-j", "-g", "--jump", "--goto") and values:
            return tuple(found), (option, values[0])
        found += _READERS.get(option, _unreadable)(values, negated)
        negated = False
    return tuple(found), None


def _options(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each option with the words up to the next one; `!` by itself."""
    at = 0
    while at < len(words):
        option, values = words[at], []
        at += 1
        while option != "!" and at < len(words) and words[at] != "!" and not words[at].startswith("-"):
            values.append(words[at])
            at += 1
        yield option, values


Reader = Callable[[list[str], bool], tuple[Condition, ...]]


def _unreadable(_values: list[str], _negated: bool) -> tuple[Condition, ...]:
    return (UNREADABLE,)


def _nothing(_values: list[str], _negated: bool) -> tuple[Condition, ...]:
    return ()


def _asking(asks: Asks, spelled: Callable[[str], str | None]) -> Reader:
    """`spelled` makes one value as foreign.py has them; None for one that cannot be read."""

    def read(values: list[str], negated: bool) -> tuple[Condition, ...]:
        found = [spelled(value) for value in ",".join(values).split(",")]
        known = tuple(one for one in found if one is not None)
        return (Condition(asks, known, negated),) if len(known) == len(found) else (UNREADABLE,)

    return read


def _interface(value: str) -> str:
    return f"{value[:-1]}*" if value.endswith("+") else value


def _address(value: str) -> str | None:
    return value if _ADDRESS.fullmatch(value) else None


def _port(value: str) -> str | None:
    """`1:` is from 1 on."""
    first, colon, last = value.partition(":")
    span = f"{first or 0}-{last or 65535}" if colon else first
    return span if re.fullmatch(r"[0-9]+(-[0-9]+)?", span) else None


def _flags(values: list[str], negated: bool) -> tuple[Condition, ...]:
    """The packets looked for are first ones: SYN alone is what their flags are."""
    if values != ["FIN,SYN,RST,ACK", "SYN"]:
        return (UNREADABLE,)
    return (Condition(Asks.NEVER),) if negated else ()


def _icmp(value: str) -> str | None:
    """Types only: a rule that also asks for a code is about rarer packets than those looked for."""
    return value if value.isdigit() or value == "any" else None


_READERS: dict[str, Reader] = {
    "-i": _asking(Asks.INPUT, _interface),
    "-o": _asking(Asks.OUTPUT, _interface),
    "-s": _asking(Asks.SOURCE, _address),
    "-d": _asking(Asks.TARGET, _address),
    "-p": _asking(Asks.PROTOCOL, lambda value: _PROTOCOLS.get(value, value)),
    "--dport": _asking(Asks.TARGET_PORT, _port),
    "--dports": _asking(Asks.TARGET_PORT, _port),
    "--sport": _asking(Asks.SOURCE_PORT, _port),
    "--sports": _asking(Asks.SOURCE_PORT, _port),
    "--ctstate": _asking(Asks.STATE, str.lower),
    "--state": _asking(Asks.STATE, str.lower),
    "--dst-type": _asking(Asks.TARGET_KIND, str.lower),
    "--icmp-type": _asking(Asks.ICMP, _icmp),
    "--tcp-flags": _flags,
    # The packets looked for are few: below any limit.
    **dict.fromkeys(("-m", "--comment", "--limit", "--limit-burst"), _nothing),
}
