"""Where the agent keeps things on this host; tests move all of it into a folder of their own."""

import os
from pathlib import Path

from cloudsync.model.dataclass import dataclass

CONSOLES = Path("/var/log/libvirt/qemu")
"""virtlogd writes the serial logs here (`<serial><log file=…>` of each domain)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """`socket` is the API, `state` (0700) outlives a reboot, `run` does not; `pool` holds disks and images."""

    socket: Path
    state: Path
    pool: Path
    run: Path
    metadata_port: int = 8775
    consoles: Path = CONSOLES

    def make(self) -> None:
        """Make the folders. Raise OSError when one cannot be made."""
        _folder(self.state, 0o700)
        self.state.chmod(0o700)
        _folder(self.run, 0o755)
        _folder(self.socket.parent, 0o755)
        _folder(self.pool, 0o711)


def _folder(path: Path, mode: int) -> None:
    """QEMU's user must pass through the pool but not list it; a folder that is there already keeps its mode."""
    if not path.is_dir():
        path.mkdir(parents=True)
        path.chmod(mode)


def replace_file(path: Path, data: bytes, durable: bool) -> None:
    """The file is `data` from now on, or what it was; only its owner may read it. `durable`: a power cut does not undo
    it. Raise OSError."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(path)
    if durable:
        sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """A rename is on the disk only when its folder is."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
