"""A private folder for sockets, gone when it is left; what a killed command left behind is removed by the next one.

Called by tunnel.py.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock

_PREFIX = "cloudsync-ssh-room-"
_LONGEST = 50
"""Characters of the folder above: a Unix socket's path may have 107, and ssh makes its own longer while it binds."""
_sweeping, _swept = Lock(), set[Path]()


class Room:
    """For its owner alone; a lock on it tells that somebody is in."""

    def __init__(self) -> None:
        above = _above()
        _sweep(above)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=above))
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def leave(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _sweep(above: Path) -> None:
    """Once in a process: it has a room for each host, and they are opened at the same time."""
    with _sweeping:
        if above in _swept:
            return
        for left in above.glob(f"{_PREFIX}*"):
            _remove(left)
        _swept.add(above)


def _remove(left: Path) -> None:
    """Remove it, if nobody is in and it is ours. An empty one stays: made just now, it may not be locked yet."""
    with suppress(OSError):
        lock = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(lock).st_uid == os.geteuid() and any(left.iterdir()):
                shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(lock)


def _above() -> Path:
    """A short folder on this machine."""
    for folder in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir()):
        if folder and len(folder) <= _LONGEST and os.access(folder, os.W_OK | os.X_OK):
            return Path(folder)
    return Path("/tmp")  # noqa: S108
