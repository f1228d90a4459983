"""The host document on the disk: whole or not at all, also when the power goes. Called by keeper.py.

`document.json` holds it; of a long one, later changes stand beside it in files of their own, each of which names the
one before, until they are folded in: one more member costs a small file, not the whole. What came is stored as it came.
It may hold secrets: 0600, in a folder of 0700.
"""

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from errno import ENOENT
from hashlib import sha256
from pathlib import Path

from cloudsync.agent.places import sync_folder
from cloudsync.agent.seal import Damage, Seal, etag, opened, sealed
from cloudsync.model import wire
from cloudsync.model.dataclass import dataclass
from cloudsync.model.delta import DocumentDelta, Misfit, difference, patched
from cloudsync.model.document import HostDocument

log = logging.getLogger("cloudsync.agent")

_SHORT = 1 << 16
_MOST_CHANGES = 100


@dataclass(frozen=True, slots=True)
class Text:
    """A document's JSON: all of it, or its difference to the document `to`."""

    body: bytes
    to: HostDocument | None = None


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the disk holds: `document` as it is with its `changes`, which follow the file whose body has `digest`."""

    document: HostDocument
    etag: str
    digest: str
    size: int
    changes: int = 0


class Store:
    def __init__(self, folder: Path, short: int = _SHORT) -> None:
        """Documents up to `short` bytes are always written whole."""
        self.path = folder / "document.json"
        self._staged = folder / "document.json.new"
        self._short = short
        self._stored: _Stored | None = None
        self._next: tuple[Path, _Stored] | None = None
        self._tidied = False

    @property
    def etag(self) -> str:
        """Of the stored document; empty when there is none."""
        return self._stored.etag if self._stored else ""

    def load(self) -> HostDocument | Damage | None:
        """None when this host never had one. A file staged by an agent that died before it was accepted is removed."""
        self._staged.unlink(missing_ok=True)
        self._stored = None
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            return Damage(f"it cannot be read: {error.strerror}")
        found = opened(HostDocument, text)
        if isinstance(found, Damage):
            return found
        seal, document = found
        stored = _Stored(document, seal.etag or etag(seal.sha256), seal.sha256, len(text))
        changed = self._changed(stored, seal)
        if isinstance(changed, Damage):
            return changed
        self._stored = changed
        self._tidy()
        return changed.document

    def stage(self, document: HostDocument, text: Text | None = None) -> None:
        """Write it beside the stored one, down to the disk, so that a full disk is found before anything is changed.
        `text` is how, as far as that is known."""
        body, digest, to, then = self._change(document, text) or self._whole(document, text)
        seal = Seal(
            cloud=document.cloud, host=document.host, generation=document.generation, sha256=digest, etag=then.etag
        )
        self._staged.unlink(missing_ok=True)
        descriptor = os.open(self._staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed(seal, body))
            file.flush()
            os.fsync(file.fileno())
        self._next = (to, then)

    def commit(self) -> None:
        """What was staged is what is stored from here on. Raise OSError with the old one still there.

        Once it has its place it is what the next agent finds; unflushed, it is only a power cut that could undo that.
        """
        if self._next is None:
            raise FileNotFoundError(ENOENT, "nothing was staged")
        to, then = self._next
        if to == self.path and not self._tidied:
            self._remove(self._changes(then.digest))
        self._staged.replace(to)
        self._stored, self._next = then, None
        try:
            sync_folder(self.path.parent)
        except OSError as error:
            log.error("%s cannot be flushed, a power cut may bring the old one back: %s", to, error.strerror)
        if to == self.path:
            self._tidy()

    def discard(self) -> None:
        self._next = None
        with suppress(OSError):
            self._staged.unlink(missing_ok=True)

    def _whole(self, document: HostDocument, text: Text | None) -> tuple[bytes, str, Path, _Stored]:
        body = text.body if text and text.to is None else wire.dump(document)
        digest = sha256(body).hexdigest()
        return body, digest, self.path, _Stored(document, etag(digest, self.etag), digest, len(body))

    def _change(self, document: HostDocument, text: Text | None) -> tuple[bytes, str, Path, _Stored] | None:
        """None where the whole is better: it is short, or the changes to it have become many."""
        old = self._stored
        if old is None or old.size <= self._short or old.changes >= _MOST_CHANGES or (text and text.to is None):
            return None
        if (old.document.cloud, old.document.host) != (document.cloud, document.host):
            return None
        fits = text is not None and text.to is old.document
        body = text.body if text and fits else wire.dump(difference(old.document, document))
        if len(body) > old.size // 2:
            return None
        digest = sha256(body).hexdigest()
        then = _Stored(document, etag(digest, old.etag), old.digest, old.size, old.changes + 1)
        return body, digest, self._place(old.digest, then.changes), then

    def _changed(self, stored: _Stored, seal: Seal) -> _Stored | Damage:
        """With every change that is on the disk, in order."""
        for number in range(1, 1 + sum(1 for _ in self._changes(stored.digest))):
            try:
                found = opened(DocumentDelta, self._place(stored.digest, number).read_bytes())
                if isinstance(found, Damage):
                    return Damage(f"change {number} to it: {found.reason}", seal)
                named, delta = found
                if named.etag != etag(named.sha256, stored.etag):
                    return Damage(f"change {number} to it does not follow the one before", seal)
                document = patched(stored.document, delta)
            except OSError as error:
                return Damage(f"change {number} to it cannot be read: {error.strerror}", seal)
            except Misfit as error:
                return Damage(f"change {number} to it: {error}", seal)
            stored = _Stored(document, named.etag, stored.digest, stored.size, number)
        return stored

    def _place(self, digest: str, number: int) -> Path:
        """Bound to one whole file: what is left of an older one's changes is never taken for this one's."""
        return self.path.with_name(f"document.{digest[:16]}.{number}.json")

    def _changes(self, digest: str = "") -> Iterator[Path]:
        # A pattern of its own for each document would be compiled, and kept, each time.
        mine = f"document.{digest[:16]}"
        return (path for path in self.path.parent.glob("document.*.json") if path.name.startswith(mine))

    def _tidy(self) -> None:
        """Remove changes to wholes that were replaced."""
        self._tidied = False
        with suppress(OSError):
            ours = set(self._changes(self._stored.digest)) if self._stored else set()
            self._remove(path for path in self._changes() if path not in ours)
            self._tidied = True

    def _remove(self, paths: Iterable[Path]) -> None:
        for path in list(paths):
            path.unlink(missing_ok=True)
