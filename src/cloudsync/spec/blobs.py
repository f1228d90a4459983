"""What Git would call the content of an image file, had it to store it: Git itself is not asked to, for it would run
the filters of whoever owns the repository. commits.py and checkout.py ask.

Where Git LFS stores the file elsewhere, what Git has is a pointer, which names the content by its SHA-256.
"""

import hashlib
import re
from pathlib import Path

from cloudsync.spec.digests import Digests
from cloudsync.spec.git import Objects, shared

_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"
_NAMED = re.compile(re.escape(_POINTER).replace(r"\{\}", "([0-9a-f]{64})", 1).replace(r"\{\}", "[0-9]+", 1).encode())
_LONGEST_POINTER = 1024
_SHA1 = 40
"""Hexadecimal digits."""


def pointed(objects: Objects, blob: str) -> str:
    """The SHA-256 that a pointer of Git LFS names; empty where the blob is none."""
    found = objects.read(blob, _LONGEST_POINTER)
    return "" if isinstance(found, int) else meant(found)


def meant(data: bytes) -> str:
    """The same of what a file holds."""
    match = _NAMED.fullmatch(data) if len(data) <= _LONGEST_POINTER else None
    return match[1].decode() if match else ""


def kept(top: Path, digest: str, limit: int) -> bytes:
    """What Git LFS has here of that content, and at most one byte more than `limit`. OSError when it has nothing."""
    with (shared(top) / "lfs/objects" / digest[:2] / digest[2:4] / digest).open("rb") as stream:
        return stream.read(limit + 1)


def stored(path: Path, blob: str, objects: Objects, digests: Digests) -> str:
    """The name of what is in the file at `path`, stored in the way that `blob`, an older or newer one, is. OSError when
    it cannot be read."""
    known = pointed(objects, blob)
    if not known:
        return itself(path, blob, digests)
    digest = digests.of(path)
    if digest == known:
        return blob
    text = _POINTER.format(digest, path.stat().st_size).encode()
    return hashlib.new(_algorithm(blob), b"blob %d\0%b" % (len(text), text)).hexdigest()


def itself(path: Path, like: str, digests: Digests) -> str:
    """The name of the very bytes of the file, by the digest that `like` is of."""
    return digests.blob(path, _algorithm(like))


def _algorithm(blob: str) -> str:
    return "sha1" if len(blob) == _SHA1 else "sha256"
