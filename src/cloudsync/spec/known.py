"""Which keys may stand at a place of the spec, taken from its JSON Schema. `meant`, `wording` and `strangers` call it.

What may stand at the top is asked of every spec, and the schema is made only for one with problems: that takes longer
than to read ten thousand lines.
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from cloudsync.spec.finding import Trail
from cloudsync.spec.schema import schema


@cache
def _schema() -> dict[str, Any]:
    return schema()


@lru_cache(maxsize=4096)
def keys(trail: Trail) -> frozenset[str]:
    """The keys that a mapping at `trail` may have; empty when any name will do."""
    if not trail:
        return _top()
    return frozenset(key for node in nodes(trail) for key in node.get("properties", ()))


def nodes(trail: Trail) -> list[dict[str, Any]]:
    """What the schema says of a value at `trail`, alternatives included."""
    found = list(_open(_schema()))
    for step in trail:
        found = [inner for node in found for inner in _step(node, step)]
    return found


def limits(trail: Trail) -> str:
    """What a number at `trail` may be, in words; empty where nothing is said of it."""
    for node in nodes(trail):
        if "maximum" in node:
            low = f"{node['minimum']:g} to" if "minimum" in node else f"more than {node['exclusiveMinimum']:g}, up to"
            return f"{low} {node['maximum']:.0f}"
    return ""


def _top() -> frozenset[str]:
    from cloudsync.spec.models import Spec

    return frozenset(field.alias or name for name, field in Spec.model_fields.items())


@cache
def everywhere() -> frozenset[str]:
    """Every key of the language."""
    every = (_schema(), *_schema()["$defs"].values())
    return frozenset(key for node in every for key in node.get("properties", ()))


def _step(node: dict[str, Any], step: str | int) -> Iterator[dict[str, Any]]:
    if isinstance(step, int):
        yield from _open(node.get("items", {}))
    elif step in node.get("properties", {}):
        yield from _open(node["properties"][step])
    else:
        for inner in node.get("patternProperties", {}).values():
            yield from _open(inner)


def _open(node: Any) -> Iterator[dict[str, Any]]:
    """The node itself, behind references and alternatives."""
    if "$ref" in node:
        yield from _open(_schema()["$defs"][node["$ref"].rpartition("/")[2]])
    for choice in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _open(choice)
    yield node
