"""Values to JSON and back: the agent's socket, plan files and snapshots (the TypeAdapter door)."""

import json
from functools import cache
from hashlib import sha256
from typing import Any, Literal, TypeVar

T = TypeVar("T")


@cache
def _cached(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _adapter(kind: object) -> Any:
    return _cached(kind)


@cache
def _reading(kind: Any) -> Any:
    """pydantic by itself keeps short strings for the next time it reads them, until it has 16,384: what is read every
    few seconds brings some new ones each time, so that a process grows for hours. Reading is as quick without."""
    from pydantic_core import CoreConfig, SchemaValidator

    return SchemaValidator(_adapter(kind).core_schema, CoreConfig(cache_strings="none"))


def _reader(kind: object) -> Any:
    return _reading(kind)


def dump(kind: type[T] | Any, value: T) -> bytes:
    """JSON of `value`, without spaces."""
    encoded: bytes = _adapter(kind).dump_json(value)
    return encoded


def load(kind: type[T], data: bytes | str, unknown: Literal["ignore", "forbid"] = "ignore") -> T:
    """Raise ValueError (pydantic's, which says where) unless `data` is JSON of `kind`.

    `unknown` is what becomes of fields that `kind` does not have: a newer version's.
    """
    value: T = _reader(kind).validate_json(data, extra=unknown)
    return value


def schema(kind: type[T], references: str) -> dict[str, Any]:
    """The JSON Schema of `kind`; `references` is how it points to `{model}`, a type that it contains."""
    found: dict[str, Any] = _adapter(kind).json_schema(ref_template=references)
    return found


def digest(kind: type[T] | Any, value: T) -> str:
    """SHA-256 of the value's JSON with sorted keys: equal values, equal digests, whatever order maps are in."""
    plain = _adapter(kind).dump_python(value, mode="json")
    return sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
