"""Folders on a real disk that live as long as who made them, or until the next one comes when that one was killed."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DISKS = Path("/var/tmp")


@contextmanager
def disk(purpose: str) -> Iterator[Path]:
    """A folder on a real disk for a machine's images: guests' disks would fill memory.

    Its parent is locked while the machine lives. One that is not was left by a killed machine, and is removed.
    """
    for dead in DISKS.glob(f"{purpose}.*"):
        held = lock(dead, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if held is not None:
            shutil.rmtree(dead, ignore_errors=True)
            os.close(held)
    held = None
    while held is None:
        folder = Path(tempfile.mkdtemp(prefix=f"{purpose}.", dir=DISKS))
        held = lock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    disk = folder / "disk"
    disk.mkdir(mode=0o755)
    try:
        yield disk
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def left(purpose: str) -> list[Path]:
    """Folders that no machine which lives is of."""
    found = []
    for folder in DISKS.glob(f"{purpose}.*"):
        free = lock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if free is not None:
            found.append(folder)
            os.close(free)
    return sorted(found)


def lock(folder: Path, kind: int) -> int | None:
    """A descriptor that holds a lock on `folder`; None when it is held by another, or the folder went away."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    with suppress(OSError):
        fcntl.flock(descriptor, kind)
        if os.fstat(descriptor).st_ino == folder.stat().st_ino:
            return descriptor
    os.close(descriptor)
    return None


@contextmanager
def kept(folder: Path) -> Iterator[None]:
    """`folder` exists, to be mounted over, and is removed by the last one to leave if it was made here."""
    made = not folder.exists()
    held = hold(folder)
    try:
        yield
    finally:
        os.close(held)
        if made:
            drop(folder)


def hold(folder: Path) -> int:
    """A descriptor that keeps `folder`, which is made when it is not there, from being removed by `drop`.

    Removing it under a machine that has mounted something over it would take the mount away.
    """
    while (held := lock(folder, fcntl.LOCK_SH)) is None:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    return held


def drop(folder: Path) -> None:
    """Remove it, when it is empty and nobody holds it."""
    held = lock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if held is not None:
        with suppress(OSError):
            folder.rmdir()
        os.close(held)
