"""One image into the pool: fetched (or adopted from an upload), its digest checked, inspected, then given its name.

Runs in a thread of images.py. Until the last rename nothing is an image.
"""

import os
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from threading import Event

from cloudsync.agent.download import Order, Stopped, fetch, full
from cloudsync.agent.inspect import Refused
from cloudsync.agent.places import sync_folder
from cloudsync.agent.pool import Pool, look
from cloudsync.agent.progress import Meter
from cloudsync.model.agent_state import ImageDone
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import HostError
from cloudsync.model.spare import shortage

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """`source` is an http(s) URL, None for a file that was streamed into `incoming-SHA256`. `format` is as declared."""

    name: str
    sha256: str
    source: str | None
    format: str | None


def take_in(pool: Pool, wish: Wish, progress: Callable[[str], None], stop: Event) -> ImageDone:
    """Raise HostError with what is wrong and the way out; nothing but a partial download is left behind then."""
    here = pool.images().get(wish.sha256)
    if here is None:
        part = pool.part(wish.sha256)
        pool.unchecked.mkdir(mode=0o700, exist_ok=True)
        if wish.source is None:
            _adopt(pool, wish, progress, stop)
        else:
            fetch(
                Order(
                    url=wish.source,
                    sha256=wish.sha256,
                    part=part,
                    free=pool.free,
                    progress=progress,
                    stop=stop,
                )
            )
        here = _accept(pool, wish, part)
    pool.incoming(wish.sha256).unlink(missing_ok=True)
    return here


def _adopt(pool: Pool, wish: Wish, progress: Callable[[str], None], stop: Event) -> None:
    """Its name is taken away first, so that nobody who knows it can change what is being checked."""
    part, incoming = pool.part(wish.sha256), pool.incoming(wish.sha256)
    try:
        if not stat.S_ISREG(incoming.lstat().st_mode):
            raise HostError(f"{incoming} is not a file", "remove it, then run apply again")
        incoming.replace(part)
    except FileNotFoundError as error:
        raise HostError(f"image {wish.name}: nothing was uploaded to {incoming}", "run apply again") from error
    if shortage(0, pool.free()):
        part.unlink()
        raise full(pool.folder, 0, pool.free())
    found = _digest(part, progress, stop)
    if found != wish.sha256:
        part.unlink()
        raise HostError(
            f"image {wish.name}: what was uploaded has SHA-256 {found}, but the spec says {wish.sha256}",
            "the file was changed while it was sent, or the spec's digest is wrong: sha256sum FILE",
        )


def _digest(path: Path, progress: Callable[[str], None], stop: Event) -> str:
    digest = sha256()
    meter = Meter(path.stat().st_size, 0, lambda text: progress(f"checking {text}"))
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if stop.is_set():
                raise Stopped("the check was stopped")
            digest.update(chunk)
            meter.add(len(chunk))
    return digest.hexdigest()


def _accept(pool: Pool, wish: Wish, part: Path) -> ImageDone:
    """QEMU's user must be able to read it, nobody to write it."""
    found = look(part, wish.format)
    if isinstance(found, Refused):
        part.unlink()
        raise HostError(f"image {wish.name} {found.message}", found.hint)
    descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.geteuid() == 0:
            os.fchown(descriptor, 0, 0)
        os.fchmod(descriptor, 0o644)
        os.fsync(descriptor)
        size = os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
    part.replace(pool.image(wish.sha256))
    sync_folder(pool.folder)
    return ImageDone(sha256=wish.sha256, size=size, format=found.format, virtual_size=found.virtual_size)
