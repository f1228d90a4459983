"""What the process may not do: called once by worker.py, before it reads a byte that a guest sent.

As root: another user without groups, an empty root folder, a network namespace without a link. A socket stays in the
namespace it was bound in, so guests are answered while nothing can be connected to. As anyone else: limits only.
"""

import ctypes
import os
import pwd
import resource
from pathlib import Path

USER, FALLBACK = "cloudsync-metadata", "nobody"
"""packaging/sysusers.conf makes the first; the other one is shared with whatever else runs as it."""

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC, _CLONE_NEWNET = 0x00020000, 0x04000000, 0x08000000, 0x40000000
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
_MEMORY = 1 << 30
_FILES = 65_536


def confine(empty: Path) -> None:
    """`empty` is a folder without anything in it. Raise OSError or LookupError when any of it cannot be had."""
    libc = ctypes.CDLL(None, use_errno=True)
    _set_limits()
    os.umask(0o077)
    if os.geteuid() == 0:
        _drop(libc, empty)
    else:
        os.chdir("/")
    _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)


def _set_limits() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _drop(libc: ctypes.CDLL, empty: Path) -> None:
    who = user()
    if libc.unshare(_CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "no namespaces of its own for the metadata service")
    os.chroot(empty)
    os.chdir("/")
    # No child, no thread; root would not be held by it.
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    os.setgroups([])
    os.setresgid(who.pw_gid, who.pw_gid, who.pw_gid)
    os.setresuid(who.pw_uid, who.pw_uid, who.pw_uid)
    # Other processes of the same user may not look into this one.
    _prctl(libc, _PR_SET_DUMPABLE, 0)


def user() -> pwd.struct_passwd:
    """Whom the process becomes. Raise LookupError when there is nobody."""
    for name in (USER, FALLBACK):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError(f"there is no user {USER} or {FALLBACK}")


def _prctl(libc: ctypes.CDLL, option: int, value: int) -> None:
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")
