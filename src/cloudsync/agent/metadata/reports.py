"""What guests say about themselves into values, or ValueError. All of it is hostile until it came through here.

The process reads the guest's own words; the agent reads the process's JSON lines by the same rules.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from cloudsync.model.dataclass import dataclass
from cloudsync.spec import publickey

MAX_PASSWORD = 1020
"""Nova stores four chunks of 255 bytes."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./+-]{0,99}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HOST_KEYS = frozenset(
    ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
)
_MAX_KEYS = 8


@dataclass(frozen=True, slots=True)
class Event:
    """A step of cloud-init began (`result` is empty) or ended: `modules-final/config-scripts-user`, SUCCESS."""

    name: str
    result: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """The guest's ssh host keys, `TYPE BASE64` each, sorted."""

    host_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Password:
    """What the guest posted, once: by custom encrypted to the instance's key."""

    data: bytes

    def __repr__(self) -> str:
        return f"Password({len(self.data)} bytes)"


Report = Event | Home | Password


def read_event(body: bytes) -> Event:
    """cloud-init's webhook: one JSON object."""
    try:
        plain = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(plain, dict):
        raise ValueError("not an object")
    kind, result = plain.get("event_type"), plain.get("result", "")
    if kind == "start":
        return _event(plain.get("name"), "")
    if kind == "finish" and result:
        return _event(plain.get("name"), result)
    raise ValueError("neither a start nor a finish")


def _event(name: object, result: object) -> Event:
    if not isinstance(name, str) or not _WORD.fullmatch(name):
        raise ValueError("not the name of an event")
    if not isinstance(result, str) or result not in ("", "SUCCESS", "WARN", "FAIL"):
        raise ValueError("not a result")
    return Event(name, result)


def read_home(body: bytes, identities: frozenset[str]) -> Home:
    """cloud-init's phone_home: a form. It must be from the caller itself, who goes by one of `identities`."""
    fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=32)
    if not any(name == "instance_id" and value in identities for name, value in fields):
        raise ValueError("not this instance's id")
    keys = [value for name, value in fields if name.startswith("pub_key_")]
    return Home(_host_keys(keys[:_MAX_KEYS]))


def _host_keys(lines: list[str]) -> tuple[str, ...]:
    """cloud-init sends `N/A` for a key that is not there. Comments are dropped: they are the guest's own words."""
    found = set()
    for line in lines:
        try:
            key = publickey.parse(line)
        except ValueError:
            continue
        if key.type in _HOST_KEYS:
            found.add(publickey.PublicKey(key.type, key.blob, "").line)
    return tuple(sorted(found))


def to_json(uuid: str, report: Report) -> dict[str, Any]:
    match report:
        case Event(name, result):
            return {"uuid": uuid, "event": name, "result": result}
        case Home(host_keys):
            return {"uuid": uuid, "host_keys": list(host_keys)}
        case Password(data):
            return {"uuid": uuid, "password": b64encode(data).decode()}


def from_json(plain: Mapping[str, Any]) -> tuple[str, Report]:
    """Raise ValueError unless it could have come from `to_json`: the process may have been taken over by a guest."""
    uuid = plain.get("uuid")
    if not isinstance(uuid, str) or not _UUID.fullmatch(uuid):
        raise ValueError("not a uuid")
    if "event" in plain:
        return uuid, _event(plain["event"], plain.get("result", ""))
    if "host_keys" in plain:
        keys = plain["host_keys"]
        if not isinstance(keys, list) or len(keys) > _MAX_KEYS or not all(isinstance(key, str) for key in keys):
            raise ValueError("not host keys")
        return uuid, Home(_host_keys(keys))
    password = plain.get("password")
    if not isinstance(password, str):
        raise ValueError("not a report")
    data = b64decode(password, validate=True)
    if len(data) > MAX_PASSWORD:
        raise ValueError("the password is too long")
    return uuid, Password(data)
