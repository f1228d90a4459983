"""The agent's socket: there when the agent is ready, gone when it has ended, never taken from a living agent."""

import fcntl
import grp
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cloudsync.model.problem import CloudsyncError


class Busy(CloudsyncError):
    """Another agent works here."""


GROUP = "cloudsync"
"""Members may use the socket; when the group does not exist only root may."""
_MODE = 0o660


@contextmanager
def alone(state: Path, path: Path) -> Iterator[None]:
    """Be the only agent of this state folder and this socket. Raise CloudsyncError naming the other one.

    The kernel lets go of the file lock however its owner ends.
    """
    descriptor = os.open(state / "agent.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            raise _running(f"another agent (process {owner or 'unknown'}) works on {state}", owner) from None
        living = owner_of(path)
        if living is not None:
            raise _running(f"another agent (process {living}) serves {path}", str(living))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _running(message: str, owner: str) -> Busy:
    return Busy(message, f"use that one, or stop it first: {ending(owner)}")


def ending(process: int | str) -> str:
    """The command that stops an agent. Where systemd starts it, it would start it again."""
    return "systemctl stop cloudsync-agent" if Path("/run/systemd/system").is_dir() else f"kill {process or 'PID'}"


def owner_of(path: Path) -> int | None:
    """The process that listens at a socket; None when nothing does. A dead agent's socket refuses to connect."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as probe:
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise CloudsyncError(f"{path} is in the way: {error.strerror}", "remove it, or give --socket") from error
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[0])


@contextmanager
def starting(path: Path) -> Iterator[None]:
    """Tell those who ask at `path` too early that it is worth waiting, until the block ends."""
    told = path.with_name(f"{path.name}.starting")
    with suppress(OSError):
        told.write_text(str(os.getpid()))
        told.chmod(0o644)
    try:
        yield
    finally:
        with suppress(OSError):
            told.unlink()


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A listening socket that appears at `path` in one step, with its mode set. It is removed in the end."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    try:
        _bind(listener, fresh)
        _open_up(fresh)
        listener.listen(128)
        fresh.replace(path)
        mine = path.stat().st_ino
        yield listener
        with suppress(FileNotFoundError):
            if path.stat().st_ino == mine:
                path.unlink()
    finally:
        fresh.unlink(missing_ok=True)
        listener.close()


def _bind(listener: socket.socket, path: Path) -> None:
    """Nobody but root may connect before the mode is set."""
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        raise CloudsyncError(f"cannot listen at {path}: {error}", "give a shorter or another path: --socket") from error
    finally:
        os.umask(before)


def _open_up(path: Path) -> None:
    with suppress(KeyError, PermissionError):
        os.chown(path, -1, grp.getgrnam(GROUP).gr_gid)
        path.chmod(_MODE)
        return
    path.chmod(_MODE)
