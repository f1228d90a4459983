"""The host document on the disk: whole or not at all, also when the power goes.

One file of two lines: a seal (whose it is, its generation, the SHA-256 of the rest), then the document as JSON. It may
hold secrets: 0600, in a folder of 0700. Called by keeper.py.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from cloudsync.agent.places import sync_folder
from cloudsync.model import wire
from cloudsync.model.document import HostDocument

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    cloud: str
    host: str
    generation: int
    sha256: str
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with the stored document. `seal` is what its first line still tells, None when that is lost too."""

    reason: str
    seal: Seal | None = None


class Store:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "document.json"
        self._staged = folder / "document.json.new"

    def load(self) -> HostDocument | Damage | None:
        """None when this host never had one. A file staged by an agent that died before it was accepted is removed."""
        self._staged.unlink(missing_ok=True)
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            return Damage(f"it cannot be read: {error.strerror}")
        return _read(text)

    def stage(self, document: HostDocument) -> None:
        """Write it beside the stored one, down to the disk, so that a full disk is found before anything is changed."""
        body = wire.dump(HostDocument, document)
        seal = Seal(
            cloud=document.cloud,
            host=document.host,
            generation=document.generation,
            sha256=sha256(body).hexdigest(),
        )
        self._staged.unlink(missing_ok=True)
        descriptor = os.open(self._staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(asdict(seal)).encode() + b"\n" + body + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def commit(self) -> None:
        """What was staged takes the stored one's place."""
        self._staged.replace(self.path)
        sync_folder(self.path.parent)

    def discard(self) -> None:
        with suppress(OSError):
            self._staged.unlink(missing_ok=True)


def _read(text: bytes) -> HostDocument | Damage:
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
        return wire.load(HostDocument, body)
    except ValueError:
        return Damage("its content is not a document, was it written by another version of cloudsync?", seal)
