"""A host document's digest. The directory is the same value on every host: it is hashed once, not once per host."""

from dataclasses import replace
from functools import lru_cache
from hashlib import sha256

from cloudsync.model import wire
from cloudsync.model.document import HostDocument


def digest(document: HostDocument) -> str:
    """SHA-256 over everything that the document says."""
    own = wire.digest(HostDocument, replace(document, directory={}, user_data={}))
    return sha256(f"{own} {_directory(_Same(document))}".encode()).hexdigest()


class _Same:
    """Equal when the directories are one object; holds on to it, so that its identity stays its own."""

    def __init__(self, document: HostDocument) -> None:
        self.directory = document.directory

    def __hash__(self) -> int:
        return id(self.directory)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.directory is self.directory


@lru_cache(maxsize=4)
def _directory(same: _Same) -> str:
    lines = (f"{name} {entry.uuid} {entry.host} {entry.addresses}" for name, entry in sorted(same.directory.items()))
    return sha256("\n".join(lines).encode()).hexdigest()
