"""A host document's digest. What every host is told alike, and is long, is hashed once and not once per host."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256

from cloudsync.model import wire
from cloudsync.model.document import HostDocument


def digest(document: HostDocument) -> str:
    """SHA-256 over everything that the document says."""
    bare = replace(document, keypairs={}, groups={}, networks={}, images={}, directory={}, members={}, user_data={})
    alike = (document.keypairs, document.groups, document.networks, document.directory, document.members)
    images = repr(sorted(document.images.items()))
    parts = (wire.digest(bare), images, *(_of(_Same(mapping)) for mapping in alike))
    return sha256(" ".join(parts).encode()).hexdigest()


class _Same:
    """Equal when the mapping is one object; holds on to it, so that its identity stays its own."""

    def __init__(self, mapping: Mapping[str, object]) -> None:
        self.mapping = mapping

    def __hash__(self) -> int:
        return id(self.mapping)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.mapping is self.mapping


@lru_cache(maxsize=32)
def _of(same: _Same) -> str:
    return sha256(repr(sorted(same.mapping.items())).encode()).hexdigest()
