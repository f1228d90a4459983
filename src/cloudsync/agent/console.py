"""Machines' serial logs, with the parts that virtlogd has rotated away. Called by app.py."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cloudsync.model.problem import CloudsyncError

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def read(folder: Path, uuid: str) -> bytes:
    """Oldest first. Raise ValueError unless `uuid` is one, CloudsyncError when nothing was logged.

    virtlogd renames FILE to FILE.0, FILE.0 to FILE.1 and so on, so the highest number is the oldest.
    """
    if not UUID.fullmatch(uuid):
        raise ValueError("not a UUID")
    name = f"cloudsync-{uuid}.log"
    parts = sorted(_numbers(folder, name), reverse=True)
    texts = [_text(folder / f"{name}.{number}") for number in parts]
    texts.append(_text(folder / name))
    found = [text for text in texts if text is not None]
    if not found:
        raise CloudsyncError(
            f"there is no console log of {uuid} here", "the machine has not been started yet, or its log was removed"
        )
    return b"".join(found)


def forget(folder: Path, uuids: Iterable[str]) -> None:
    """Remove what machines that are gone wrote: it may hold secrets, and one of the same uuid may come again."""
    for uuid in uuids:
        name = f"cloudsync-{uuid}.log"
        for path in (folder / name, *(folder / f"{name}.{number}" for number in _numbers(folder, name))):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _numbers(folder: Path, name: str) -> list[int]:
    tails = (path.name.removeprefix(f"{name}.") for path in folder.glob(f"{name}.*"))
    return [int(tail) for tail in tails if re.fullmatch(r"[0-9]{1,4}", tail)]


def _text(path: Path) -> bytes | None:
    """None when it is not there. A link is not followed: the folder belongs to root, but its files come and go."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read()
