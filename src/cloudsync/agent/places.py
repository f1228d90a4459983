"""Where the agent keeps things on this host; tests move all of it into a folder of their own."""

import os
from dataclasses import dataclass
from pathlib import Path

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


def sync_folder(path: Path) -> None:
    """A rename is on the disk only when its folder is."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
