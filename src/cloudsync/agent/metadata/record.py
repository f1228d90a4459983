"""All that the service knows of one instance: made by documents.py in the agent, sent as JSON, read in the process.

The process needs nothing else, so it never sees the document, other instances' rules, or an image.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any

from cloudsync.model.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """`port_id` and `network_id` are UUIDs derived from names: consumers want some, nobody looks them up."""

    tap: str
    mac: str
    address: str
    gateway: str
    port_id: str
    network_id: str
    mtu: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`addresses` are the sources that may ask for it. Unless `complete`, those are told to come back in a second.

    `floating` is the address that leads to it from outside, empty without one.
    `project` is the cloud's name. `image` is 8 hex digits. `zone` is None when the instance has none.
    `keys` are (name, public key line). `user_data` is None when none was supplied, which differs from empty.
    """

    uuid: str
    addresses: tuple[str, ...]
    floating: str = ""
    complete: bool = True
    name: str = ""
    hostname: str = ""
    project: str = ""
    flavor: str = ""
    image: str = "00000000"
    launch_index: int = 0
    zone: str | None = None
    groups: tuple[str, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)
    interfaces: tuple[Interface, ...] = ()
    user_data: bytes | None = field(default=None, repr=False)
    password: bytes = field(default=b"", repr=False)


def _fields(thing: Record | Interface) -> dict[str, Any]:
    """`asdict` copies all that is in them, down to the last text, which takes ten times as long."""
    return {one.name: getattr(thing, one.name) for one in fields(thing)}


def to_json(record: Record) -> dict[str, Any]:
    plain = _fields(record)
    plain["meta"] = dict(record.meta)
    plain["interfaces"] = [_fields(interface) for interface in record.interfaces]
    plain["user_data"] = None if record.user_data is None else b64encode(record.user_data).decode()
    plain["password"] = b64encode(record.password).decode()
    return plain


def from_json(plain: Mapping[str, Any]) -> Record:
    """Raise KeyError, TypeError or ValueError unless `plain` came from `to_json`."""
    found = dict(plain)
    found["addresses"] = tuple(found["addresses"])
    found["groups"] = tuple(found["groups"])
    found["keys"] = tuple((name, line) for name, line in found["keys"])
    found["interfaces"] = tuple(Interface(**interface) for interface in found["interfaces"])
    data = found["user_data"]
    found["user_data"] = None if data is None else b64decode(data, validate=True)
    found["password"] = b64decode(found["password"], validate=True)
    return Record(**found)
