"""A stored value as two lines, a seal and the value's JSON, and back; store.py keeps documents and deltas so."""

import json
from dataclasses import asdict
from hashlib import sha256
from typing import TypeVar

from cloudsync.model import wire
from cloudsync.model.dataclass import dataclass

T = TypeVar("T")

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """`sha256` is of the JSON. `etag` names the document that is there with this: no other ever has the same."""

    cloud: str
    host: str
    generation: int
    sha256: str
    etag: str = ""
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with the stored document. `seal` is what its first line still tells, None when that is lost too."""

    reason: str
    seal: Seal | None = None


def etag(digest: str, before: str = "") -> str:
    """Of a document that was written whole, or by a change to the one called `before`."""
    return sha256(f"{before} {digest}".encode()).hexdigest()[:32]


def sealed(seal: Seal, body: bytes) -> bytes:
    return json.dumps(asdict(seal)).encode() + b"\n" + body + b"\n"


def opened(kind: type[T], text: bytes) -> tuple[Seal, T] | Damage:
    """What `sealed` wrote, or what is wrong with it."""
    first, _, body = text.partition(b"\n")
    body = body.removesuffix(b"\n")
    try:
        seal = wire.load(Seal, first)
    except ValueError:
        return Damage("its first line cannot be read")
    if seal.format != FORMAT:
        return Damage(f"it is of format {seal.format}, written by another version of cloudsync", seal)
    if sha256(body).hexdigest() != seal.sha256:
        return Damage("its content is not what was written", seal)
    try:
        return seal, wire.load(kind, body)
    except ValueError:
        return Damage("its content cannot be understood, was it written by another version of cloudsync?", seal)
