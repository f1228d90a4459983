"""What `host setup` put on this machine, into the commands that take it away again: `host setup --undo`.

Debian's packages stay, and so does the program. Called by the CLI; tests give a folder in place of /.
"""

import shlex
from collections.abc import Iterator
from pathlib import Path

from cloudsync.agent.checkup import programs
from cloudsync.agent.checkup.fitness import UNITS
from cloudsync.agent.listen import GROUP
from cloudsync.agent.metadata.confine import USER
from cloudsync.model.problem import CloudsyncError

_SYSTEMD = "etc/systemd/system"
_FILES = (
    *(f"{_SYSTEMD}/{name}.service" for name in (*UNITS, "cloudsync-watch@")),
    "usr/lib/sysusers.d/cloudsync.conf",
    "usr/lib/sysusers.d/cloudsync-watch.conf",
    "etc/systemd/networkd.conf.d/90-cloudsync.conf",
)
_FOLDERS = ("run/cloudsync", "var/lib/cloudsync")
_CONSOLES = "var/log/libvirt/qemu"
_POOL = "var/lib/cloudsync/pool"
_WATCHER = "cloudsync-watch"


def leave(root: Path, program: str) -> tuple[str, ...]:
    """In order; none when nothing is there. Raise CloudsyncError while there are disks: they are not ours to delete."""
    disks = [one for one in sorted((root / _POOL).glob("**/*")) if one.is_file()]
    if disks:
        raise CloudsyncError(
            f"there are still disks or images on this machine: {disks[0]}" + ", …" * (len(disks) > 1),
            "cloudsync destroy takes away what a cloud has; what none has any more is yours to delete",
        )
    return (*_services(root, program), *_pool(), *_files(root, program), *_people())


def _services(root: Path, program: str) -> Iterator[str]:
    """The agent ends what outlives it, once it is stopped."""
    watches = sorted(one.name for one in (root / _SYSTEMD).glob("*.wants/cloudsync-watch@*.service"))
    units = [name for name in UNITS if (root / _SYSTEMD / f"{name}.service").exists()]
    if watches or units:
        yield f"systemctl disable --now {shlex.join([*watches, *reversed(units)])}"
    if any((root / folder).exists() for folder in _FOLDERS):
        yield f"{shlex.quote(program)} agent --uninstall"


def _pool() -> Iterator[str]:
    """libvirt's own record of the folder."""
    said = programs.output("virsh", "--connect", "qemu:///system", "pool-info", "cloudsync")
    if "running" in said:
        yield "virsh --connect qemu:///system pool-destroy cloudsync"
    if said.strip():
        yield "virsh --connect qemu:///system pool-undefine cloudsync"


def _files(root: Path, program: str) -> Iterator[str]:
    link = root / "usr/local/bin/cloudsync"
    files = [str(path) for name in _FILES if (path := root / name).exists()]
    files += sorted(map(str, (root / _CONSOLES).glob("cloudsync-*.log*")))
    if link.is_symlink() and str(link.resolve()) == program:
        files.append(str(link))
    if files:
        yield f"rm {shlex.join(files)}"
    if any(_SYSTEMD in file for file in files):
        yield "systemctl daemon-reload"
    if (root / _POOL).exists():  # refused by rmdir should a disk have come meanwhile
        yield f"find {shlex.quote(str(root / _POOL))} -depth -type d -exec rmdir {{}} +"
    folders = [str(root / name) for name in _FOLDERS if (root / name).exists()]
    if folders:
        yield f"rm -r {shlex.join(folders)}"


def _people() -> Iterator[str]:
    for user in (USER, _WATCHER):
        if programs.output("getent", "passwd", user):
            yield f"userdel {user}"
    if programs.output("getent", "group", GROUP):
        yield f"groupdel {GROUP}"
