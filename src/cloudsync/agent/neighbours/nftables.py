"""The JSON of `nft -j -t list …` into tables that are not ours (pure)."""

import json
import re
from collections.abc import Iterator
from typing import Any

from cloudsync.agent.firewall.ruleset import TABLE
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
from cloudsync.agent.neighbours.nftables_match import conditions

FAMILIES = ("ip", "inet", "arp")
"""Those that IPv4 packets pass on their way through routing, and the questions who has an address. Of a chain that is a
device's own, nft 1.0.6 does not tell in JSON whose."""
_TARGETS = {"REJECT": Act.REJECT, "DROP": Act.DROP, "ACCEPT": Act.ACCEPT, "RETURN": Act.RETURN} | dict.fromkeys(
    ("MASQUERADE", "SNAT", "DNAT", "REDIRECT", "NETMAP"), Act.NAT
)
_ENDINGS = {"accept": Act.ACCEPT, "drop": Act.DROP, "reject": Act.REJECT, "return": Act.RETURN} | dict.fromkeys(
    ("masquerade", "snat", "dnat", "redirect"), Act.NAT
)
_CHAINS = {"jump": Act.JUMP, "goto": Act.GOTO}
_NO_CONDITION = ("counter", "log", "comment", "mangle", "notrack", "ct helper", "ct timeout", "flow", "set", "map")
_HOOK = re.compile(r"PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING")


def foreign_bases(listing: str) -> bool:
    """Whether others have base chains in those families; `listing` may be of chains only."""
    return any(table.bases() for table in read_tables(listing))


def read_tables(listing: str) -> tuple[Table, ...]:
    """Raise ValueError, KeyError or TypeError unless `listing` is what nft prints."""
    bases: dict[tuple[str, str], dict[str, Base | None]] = {}
    rules: dict[tuple[str, str, str], list[Rule]] = {}
    for entry in json.loads(listing)["nftables"]:
        ((kind, body),) = entry.items()
        if kind not in ("chain", "rule") or body["family"] not in FAMILIES or body["table"] == TABLE:
            continue
        where = (body["family"], body["table"])
        if kind == "chain":
            bases.setdefault(where, {})[body["name"]] = _base(body)
        else:
            rules.setdefault((*where, body["chain"]), []).extend(_rules(body["expr"]))
    found = []
    for (family, name), there in bases.items():
        chains = {chain: Chain(tuple(rules.get((family, name, chain), ())), base) for chain, base in there.items()}
        found.append(Table(family, name, _tool(family, name, chains), chains))
    return tuple(found)


def _tool(family: str, name: str, chains: dict[str, Chain]) -> Tool:
    """iptables writes its base chains in capitals."""
    capitals = any(chain.base and _HOOK.fullmatch(title) for title, chain in chains.items())
    return Tool.IPTABLES_NFT if family == "ip" and name in IPTABLES and capitals else Tool.NFT


def _base(body: dict[str, Any]) -> Base | None:
    if "hook" not in body:
        return None
    return Base(body["type"], body["hook"], int(body["prio"]), body.get("policy") == "drop")


def _rules(expressions: list[dict[str, Any]]) -> Iterator[Rule]:
    """One rule; one for each pair of a verdict map, and what follows the map after them."""
    asked: list[Condition] = []
    for expression in expressions:
        ((kind, body),) = expression.items()
        if kind in _ENDINGS:
            yield Rule(tuple(asked), _ENDINGS[kind])
            return
        if kind in _CHAINS:
            yield Rule(tuple(asked), _CHAINS[kind], str(body["target"]))
            return
        if kind == "vmap":
            yield from _mapped(tuple(asked), body)
        elif kind == "xt" and (body or {}).get("type") == "target":
            yield Rule(tuple(asked), _TARGETS.get(str(body["name"]), Act.NEXT))
            return
        else:
            asked += _asked(kind, body)


def _asked(kind: str, body: Any) -> tuple[Condition, ...]:
    if kind == "match":
        return conditions(body)
    if kind == "limit":
        # The packets looked for are few: below any limit.
        return (Condition(Asks.NEVER),) if isinstance(body, dict) and body.get("inv") else ()
    if kind in _NO_CONDITION or (kind == "xt" and (body or {}).get("name") == "comment"):
        return ()
    return (UNREADABLE,)


def _mapped(asked: tuple[Condition, ...], body: dict[str, Any]) -> Iterator[Rule]:
    """A verdict map is a row of rules; of a named one the elements are not listed."""
    pairs = body["data"].get("set") if isinstance(body["data"], dict) else None
    if pairs is None:
        yield Rule((*asked, UNREADABLE), Act.ACCEPT)
        return
    for key, verdict in pairs:
        ((kind, target),) = verdict.items()
        keyed = conditions({"op": "==", "left": body["key"], "right": key})
        if kind in _CHAINS:
            yield Rule((*asked, *keyed), _CHAINS[kind], str(target["target"]))
        else:
            yield Rule((*asked, *keyed), _ENDINGS.get(kind, Act.NEXT))
