"""What lies in the host's storage pool: cached images, root disks, and which of them stands on which.

`image-SHA256` is a whole, checked image; `UUID.root.qcow2` a machine's disk, `ID.data.qcow2` one that outlives it;
`unchecked/SHA256` an image on its way, in a folder of its own because libvirt looks into every file of a pool;
`incoming-SHA256` one that the controller streams in through libvirt, taken away from there as soon as it is whole.
Other files are left alone.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from cloudsync.agent import qcow2
from cloudsync.agent.inspect import HEAD, ImageInfo, Refused, inspect
from cloudsync.agent.words import UUID
from cloudsync.model.agent_state import ImageDone, RootDisk
from cloudsync.model.problem import HostError

_IMAGE = re.compile(r"image-([0-9a-f]{64})")
_PARTIAL = re.compile(r"(?:incoming-)?([0-9a-f]{64})(?:\.part(?:\.validator)?)?")
_DISK = ".root.qcow2"
_DATA = ".data.qcow2"


class Pool:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def image(self, sha256: str) -> Path:
        return self.folder / f"image-{sha256}"

    @property
    def unchecked(self) -> Path:
        return self.folder / "unchecked"

    def part(self, sha256: str) -> Path:
        return self.unchecked / f"{sha256}.part"

    def validator(self, sha256: str) -> Path:
        """What the server called the version of `part`, for If-Range."""
        return self.unchecked / f"{sha256}.part.validator"

    def incoming(self, sha256: str) -> Path:
        return self.folder / f"incoming-{sha256}"

    def images(self) -> Mapping[str, ImageDone]:
        """By sha256. Only whole ones: a file gets its name after its digest was checked."""
        found = {}
        for path in self._files():
            named = _IMAGE.fullmatch(path.name)
            if named:
                with suppress(FileNotFoundError):
                    found[named[1]] = _describe(path, named[1])
        return found

    def partial(self) -> tuple[str, ...]:
        """Sha256 of images that began to come in."""
        files = [*self._files(), *self._files(self.unchecked)]
        found = (_PARTIAL.fullmatch(path.name) for path in files)
        return tuple(sorted({one[1] for one in found if one}))

    def disks(self) -> Mapping[str, RootDisk]:
        """By instance uuid."""
        named = ((path.name.removesuffix(_DISK), path) for path in self._files() if path.name.endswith(_DISK))
        return {uuid: _root_disk(path) for uuid, path in named if UUID.fullmatch(uuid)}

    def data(self) -> Mapping[str, int]:
        """Sizes of data disks by id."""
        named = ((path.name.removesuffix(_DATA), path) for path in self._files() if path.name.endswith(_DATA))
        return {disk: _root_disk(path).size for disk, path in named if UUID.fullmatch(disk)}

    def users(self, sha256: str) -> list[str]:
        """Names of the files that stand on the image. Raise HostError when that cannot be told of one of them."""
        return sorted(path.name for path in self._files() if path.suffix == ".qcow2" and _stands_on(path, sha256))

    def size(self) -> int:
        """Bytes of the file system that the pool lies on."""
        whole = self._file_system()
        return whole.f_blocks * whole.f_frsize

    def free(self) -> int:
        """Bytes."""
        room = self._file_system()
        return room.f_bavail * room.f_frsize

    def _file_system(self) -> os.statvfs_result:
        """A pool that is not there has unknown disks, not none: raise HostError."""
        try:
            return os.statvfs(self.folder)
        except OSError as error:
            raise HostError(
                f"the pool {self.folder} cannot be used: {error.strerror}",
                f"mount what belongs there, or restart the agent, which makes {self.folder}",
            ) from error

    def _files(self, folder: Path | None = None) -> Iterator[Path]:
        where = folder or self.folder
        if not where.is_dir():
            return
        with os.scandir(where) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                if entry.is_file(follow_symlinks=False):
                    yield Path(entry.path)


def look(path: Path, declared: str | None) -> ImageInfo | Refused:
    """Inspect a file."""
    with path.open("rb") as file:
        number = file.fileno()
        return inspect(lambda at, length: os.pread(number, length, at), os.fstat(number).st_size, declared)


def _describe(path: Path, sha256: str) -> ImageDone:
    """It was inspected when it came in, so its first bytes tell qcow2 from raw."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(512)
    if not head.startswith(qcow2.MAGIC):
        return ImageDone(sha256=sha256, size=size, format="raw", virtual_size=size)
    virtual = int.from_bytes(head[24:32], "big")
    return ImageDone(sha256=sha256, size=size, format="qcow2", virtual_size=virtual)


def _root_disk(path: Path) -> RootDisk:
    """All that is asked for lies in the first 64 KiB of what libvirt makes: a host may have hundreds of disks."""
    try:
        with path.open("rb") as file:
            head = file.read(1 << 16)
        named = _IMAGE.fullmatch(Path(qcow2.backing(head) or "").name)
        return RootDisk(size=qcow2.parse(head).virtual_size, image=named[1] if named else "")
    except (OSError, qcow2.Damaged):
        return RootDisk()


def _stands_on(disk: Path, sha256: str) -> bool:
    try:
        with disk.open("rb") as file:
            backing = qcow2.backing(file.read(HEAD))
    except FileNotFoundError:
        return False
    except (OSError, qcow2.Damaged) as error:
        raise HostError(
            f"cannot tell what {disk} stands on: {error}",
            "an image is not removed while that is unknown: mend or remove that file",
        ) from error
    return backing is not None and f"image-{sha256}" in backing
