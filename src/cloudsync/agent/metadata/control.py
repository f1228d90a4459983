"""The Unix socket at which a process that answers guests waits for the next agent: bound here, listened at there."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME, _FRESH = "metadata.sock", ".metadata.sock.new"


def bind(folder: Path) -> socket.socket:
    """One that nobody finds yet. Raise OSError when it cannot be made."""
    with _near(folder) as near:
        (near / _FRESH).unlink(missing_ok=True)
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            os.fchmod(found.fileno(), 0o600)
            found.bind(str(near / _FRESH))
        except OSError:
            found.close()
            raise
    return found


def publish(folder: Path) -> None:
    """From now on it is the one that was bound last."""
    (folder / _FRESH).replace(folder / _NAME)


def connect(folder: Path, patience: float) -> socket.socket | None:
    """None when no process waits there. Raise OSError when there is no telling."""
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    found.settimeout(patience)
    try:
        with _near(folder) as near:
            found.connect(str(near / _NAME))
    except OSError as error:
        found.close()
        if isinstance(error, FileNotFoundError | ConnectionRefusedError):
            return None
        raise
    return found


@contextmanager
def _near(folder: Path) -> Iterator[Path]:
    """A short name for it: the address of a Unix socket has room for 107 bytes."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
