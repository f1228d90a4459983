"""The JSON of `nft -j -n list table` into the value that the compiler makes (pure)."""

import json
from typing import Any

from cloudsync.agent.firewall import expressions
from cloudsync.agent.firewall.ruleset import TABLE, Base, Chain, Container, Rule, Table

# nft 1.0.6 means to write a table's flags and writes what its memory has next: of a table with nothing in it, the end.
_CUT_OFF = '"flags": '
_PLAIN = {"family", "name", "table", "type", "handle", "map", "flags", "comment", "elem"}


def read_table(listing: str) -> Table:
    """One table. Raise ValueError unless `listing` is what nft prints."""
    if listing.rstrip("\n").endswith(_CUT_OFF):
        return Table(flagged=True)
    return _table(json.loads(listing)["nftables"])


def read_ours(listing: str) -> Table | None:
    """Ours among the tables of a family; None when it is not there."""
    entries = json.loads(listing)["nftables"]
    if not any(entry.get("table", {}).get("name") == TABLE for entry in entries):
        return None
    return _table([entry for entry in entries if any(_of_ours(kind, body) for kind, body in entry.items())])


def _of_ours(kind: str, body: dict[str, Any]) -> bool:
    return bool(body.get("name" if kind == "table" else "table") == TABLE)


def _table(entries: list[dict[str, Any]]) -> Table:
    containers: dict[str, Container] = {}
    bases: dict[str, Base | None] = {}
    rules: dict[str, list[Rule]] = {}
    others: set[tuple[str, str]] = set()
    flagged = False
    for entry in entries:
        ((kind, body),) = entry.items()
        if kind == "table":
            # What nft 1.0.6 writes there is not the flag but some text of its own.
            flagged = "flags" in body
        elif kind == "metainfo":
            continue
        elif kind in ("set", "map"):
            containers[body["name"]] = _container(body)
        elif kind == "chain":
            bases[body["name"]] = _base(body)
        elif kind == "rule":
            rules.setdefault(body["chain"], []).append(_rule(body))
        else:
            others.add((kind, str(body.get("name", ""))))
    chains = {name: Chain(tuple(rules.get(name, ())), base) for name, base in bases.items()}
    return Table(containers, chains, frozenset(others), flagged)


def _base(body: dict[str, Any]) -> Base | None:
    if "hook" not in body:
        return None
    kind = body["type"] if "dev" not in body else f"{body['type']} on {body['dev']}"
    return Base(kind, body["hook"], int(body["prio"]), body["policy"])


def _rule(body: dict[str, Any]) -> Rule:
    packets = next((part["counter"]["packets"] for part in body["expr"] if _counts(part)), None)
    parts = tuple(expressions.text(part) for part in body["expr"])
    return Rule(parts, body.get("comment", ""), packets, body.get("handle"))


def _counts(part: dict[str, Any]) -> bool:
    """A counter of the rule's own; a named one is somebody else's object."""
    return isinstance(part.get("counter"), dict) and "packets" in part["counter"]


def _container(body: dict[str, Any]) -> Container:
    elements: dict[str, str] = {}
    for found in body.get("elem", ()):
        if isinstance(found, str):
            elements[found] = ""
            continue
        key, data = found if isinstance(found, list) else (found, None)
        elements[_element(key)] = "" if data is None else expressions.value(data)
    return Container(
        key=_words(body["type"]),
        value=".".join(_words(body.get("map", ()))),
        flags=_words(body.get("flags", ())),
        comment=body.get("comment", ""),
        extras=tuple(f"{name}={body[name]}" for name in sorted(set(body) - _PLAIN)),
        elements=elements,
    )


def _element(found: Any) -> str:
    """The key alone: a comment that somebody put on an element changes nothing."""
    if isinstance(found, dict) and "elem" in found:
        found = found["elem"]["val"]
    return expressions.value(found)


def _words(found: Any) -> tuple[str, ...]:
    return (found,) if isinstance(found, str) else tuple(found)
