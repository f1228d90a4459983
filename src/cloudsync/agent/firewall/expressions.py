"""One expression of `nft -j -n` into the text that the compiler writes for it (pure); the reader calls it.

Covers what this project generates; anything else becomes its JSON, which equals no rule of ours.
"""

import json
from collections.abc import Callable
from typing import Any

_STATES = {1: "invalid", 2: "established", 4: "related", 8: "new", 64: "untracked"}
_STATUSES = {32: "dnat"}
_FLAGS = {1: "fin", 2: "syn", 4: "rst", 16: "ack"}
_BITS = {"ct state": _STATES, "ct status": _STATUSES}
_FAMILIES = {2: "ipv4", 10: "ipv6"}
_RAW = {"base", "offset", "len"}


def text(expression: dict[str, Any]) -> str:
    """The expression's normal form."""
    try:
        ((kind, body),) = expression.items()
        return _PRINTERS[kind](body)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return json.dumps(expression, sort_keys=True)


def value(found: Any) -> str:
    """An element's key or data, or the right side of a comparison."""
    if isinstance(found, (int, str)):
        return str(found)
    ((kind, body),) = found.items()
    if kind == "prefix":
        return f"{body['addr']}/{body['len']}"
    if kind == "range":
        return f"{value(body[0])}-{value(body[1])}"
    if kind == "concat":
        return " . ".join(value(part) for part in body)
    if kind in ("goto", "jump"):
        return f"{kind} {body['target']}"
    if body is None:
        return str(kind)
    raise ValueError(kind)


def _key(found: dict[str, Any]) -> str:
    ((kind, body),) = found.items()
    if kind == "meta":
        name = str(body["key"])
        return name if name in ("iifname", "oifname") else f"meta {name}"
    if kind == "payload" and set(body) == _RAW:
        return f"@{body['base']},{body['offset']},{body['len']}"
    if kind == "payload":
        return f"{body['protocol']} {body['field']}"
    if kind == "ct" and set(body) == {"key"}:
        return f"ct {body['key']}"
    if kind == "ct" and set(body) == {"key", "dir"}:
        return f"ct {body['dir']} {body['key']}"
    if kind == "ip option" and set(body) == {"name"}:
        return f"ip option {body['name']}"
    if kind == "fib":
        return f"fib {_joined(body['flags'])} {body['result']}"
    if kind == "concat":
        return " . ".join(_key(part) for part in body)
    raise ValueError(kind)


def _joined(flags: Any) -> str:
    """Newer nft prints a single one without its list."""
    return flags if isinstance(flags, str) else " . ".join(flags)


def _match(body: dict[str, Any]) -> str:
    left, operator, right = body["left"], body["op"], body["right"]
    if "&" in left and "meta" in left["&"][0]:
        field, mask = left["&"]
        key, shown = f"{_key(field)} & {int(mask):#x}", f"{int(right):#x}"
    elif "&" in left:
        field, mask = left["&"]
        key = f"{_key(field)} & ({'|'.join(_bits(mask, _FLAGS))})"
        shown = "|".join(_bits(right, _FLAGS))
    else:
        key = _key(left)
        shown = _right(key, right)
    if operator not in ("==", "in", "!="):
        raise ValueError(operator)
    return f"{key} != {shown}" if operator == "!=" else f"{key} {shown}"


def _right(key: str, right: Any) -> str:
    if key in _BITS:
        return ",".join(_bits(right, _BITS[key]))
    if key == "meta nfproto":
        return _FAMILIES[right]
    if isinstance(right, bool):
        return "exists" if right else "missing"
    if key in ("iifname", "oifname", "fib saddr oifname") and not str(right).startswith("@"):
        return f'"{right}"'
    return value(right)


def _bits(found: Any, known: dict[int, str]) -> list[str]:
    """Names of single bits in order; newer nft wraps them in {"|": […]}."""
    if isinstance(found, dict):
        return [name for part in found["|"] for name in _bits(part, known)]
    if isinstance(found, list):
        return [name for part in found for name in _bits(part, known)]
    return [known[int(found)]]


def _mangle(body: dict[str, Any]) -> str:
    key = _key(body["key"])
    field, bits = body["value"]["|"]
    return f"{key} set {_key(field)} | {int(bits):#x}"


def _limit(body: dict[str, Any]) -> str:
    if set(body) != {"rate", "burst", "per"}:
        raise ValueError("limit")
    return f"limit rate {body['rate']}/{body['per']} burst {body['burst']} packets"


def _log(body: dict[str, Any]) -> str:
    if set(body) != {"prefix", "group"}:
        raise ValueError("log")
    return f'log prefix "{body["prefix"]}" group {body["group"]}'


def _nat(kind: str) -> Callable[[dict[str, Any]], str]:
    def show(body: dict[str, Any]) -> str:
        found = body["addr"]["map"]
        if set(body) != {"family", "addr"}:
            raise ValueError(kind)
        return f"{kind} {body['family']} to {_key(found['key'])} map {found['data']}"

    return show


def _redirect(body: dict[str, Any]) -> str:
    if set(body) != {"port"}:
        raise ValueError("redirect")
    return f"redirect to :{body['port']}"


def _bare(kind: str) -> Callable[[object], str]:
    def show(body: object) -> str:
        if body is not None:
            raise ValueError(kind)
        return kind

    return show


def _target(kind: str) -> Callable[[dict[str, str]], str]:
    return lambda body: f"{kind} {body['target']}"


_PRINTERS: dict[str, Callable[[Any], str]] = {
    "match": _match,
    "mangle": _mangle,
    "limit": _limit,
    "log": _log,
    "redirect": _redirect,
    "counter": lambda body: "counter" if set(body) == {"packets", "bytes"} else json.dumps({"counter": body}),
    "vmap": lambda body: f"{_key(body['key'])} vmap {body['data']}",
    "snat": _nat("snat"),
    "dnat": _nat("dnat"),
    **{kind: _bare(kind) for kind in ("accept", "drop", "return", "masquerade", "notrack")},
    **{kind: _target(kind) for kind in ("jump", "goto")},
}
