"""Values to JSON and back: the agent's socket, plan files and snapshots (the door to msgspec and to TypeAdapter).

msgspec reads four times as fast as pydantic and is ready in a twentieth of the time; pydantic reads what that does not
take, and says what is wrong with it.
"""

from functools import cache
from hashlib import sha256
from threading import Lock
from typing import Any, Literal, TypeVar

T = TypeVar("T")
_LOOKING = Lock()


@cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


@cache
def _patient(kind: Any) -> Any:
    """pydantic by itself keeps short strings for the next time it reads them, until it has 16,384: what is read every
    few seconds brings some new ones each time, so that a process grows for hours. Reading is as quick without."""
    from pydantic_core import CoreConfig, SchemaValidator

    return SchemaValidator(_adapter(kind).core_schema, CoreConfig(cache_strings="none"))


@cache
def _quick(kind: Any) -> Any:
    """None for what may be of several classes, which msgspec does not tell apart."""
    from msgspec.json import Decoder

    # Two threads that look at one dataclass at once crash msgspec 0.22: one reads what the other has half written.
    with _LOOKING:
        try:
            return Decoder(kind)
        except TypeError:
            return None


def dump(value: object) -> bytes:
    """JSON of `value`, without spaces."""
    from msgspec.json import encode

    return encode(value)


def load(kind: type[T], data: bytes | str, unknown: Literal["ignore", "forbid"] = "ignore") -> T:
    """Raise ValueError (pydantic's, which says where) unless `data` is JSON of `kind`.

    `unknown` is what becomes of fields that `kind` does not have: a newer version's.
    """
    from msgspec import MsgspecError

    asked: Any = kind
    quick = _quick(asked)
    if quick is not None:
        try:
            found: T = quick.decode(data)
        except (MsgspecError, RecursionError):
            pass
        else:
            # What is written just as it was sent has nothing that is unknown.
            if unknown == "ignore" or dump(found) == data:
                return found
    value: T = _patient(asked).validate_json(data, extra=unknown)
    return value


def schema(kind: type[T], references: str) -> dict[str, Any]:
    """The JSON Schema of `kind`; `references` is how it points to `{model}`, a type that it contains."""
    asked: Any = kind
    found: dict[str, Any] = _adapter(asked).json_schema(ref_template=references)
    return found


def digest(value: object) -> str:
    """SHA-256 of the value's JSON with sorted keys: equal values, equal digests, whatever order maps are in."""
    from msgspec.json import encode

    return sha256(encode(value, order="sorted")).hexdigest()
