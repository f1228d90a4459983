"""Digests of image files, remembered between runs so that an image is hashed once. `attach` and `blobs` call it.

The memory is a cache only: it is keyed by what changes when a file does, and losing or damaging it costs time alone.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

_HEX = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MOST_ENTRIES = 1_000


def cache_path() -> Path:
    """In the user's cache folder, as the XDG base directory specification says."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return folder / "cloudsync" / "digests.json"


class Digests:
    """The cache of one run; `save` writes what was added."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = _load(path)
        self._changed = False

    def of(self, path: Path) -> str:
        """Lower-case hex SHA-256 of the file, hashed now unless it is as it was. OSError when it cannot be read."""
        return self._digest(path, "", lambda _: hashlib.sha256())

    def blob(self, path: Path, algorithm: str) -> str:
        """What Git calls a file of that content, in a repository that goes by `algorithm`."""
        return self._digest(path, f"|git {algorithm}", lambda size: hashlib.new(algorithm, b"blob %d\0" % size))

    def _digest(self, path: Path, kind: str, begin: "Callable[[int], hashlib._Hash]") -> str:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            key = f"{path}|{status.st_size}|{status.st_mtime_ns}|{status.st_ino}{kind}"
            digest = self._known.get(key)
            if digest is None:
                digest = hashlib.file_digest(stream, lambda: begin(status.st_size)).hexdigest()
                after = os.fstat(stream.fileno())
                if (after.st_size, after.st_mtime_ns) == (status.st_size, status.st_mtime_ns):
                    self._known[key] = digest
                    self._changed = True
        return digest

    def save(self) -> None:
        """Replace the cache file in one step; a folder that cannot be written to is no failure."""
        if not self._changed:
            return
        newest = dict(list(self._known.items())[-_MOST_ENTRIES:])
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".digests-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    json.dump(newest, stream)
                Path(temporary).replace(self._path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except (OSError, UnicodeError):
            return
        self._changed = False


def _load(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str) and _HEX.fullmatch(value)}
