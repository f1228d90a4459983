"""The service's listening socket. The agent holds it: guests wait in its queue while the process is replaced."""

import errno
import re
import socket
from contextlib import suppress
from pathlib import Path

from cloudsync.agent.metadata.worker import BACKLOG
from cloudsync.model.problem import HostError

_LISTEN = "0A"


def listen(address: str, port: int) -> socket.socket:
    """Raise HostError that names who has the port."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            who = holder(port)
            raise HostError(
                f"port {port} of the metadata service is taken by {who or 'another process'}",
                "stop it, or give the agent another port: cloudsync agent --metadata-port PORT"
                + ("" if who else f" (to see who has it: sudo ss -ltnp 'sport = :{port}')"),
            ) from error
        raise HostError(
            f"cannot listen at {address}:{port} for the metadata service: {error.strerror}",
            "run the agent as root, or give it another port: cloudsync agent --metadata-port PORT",
        ) from error
    return listener


def holder(port: int, proc: Path = Path("/proc")) -> str:
    """`NAME (process PID)` of whoever listens at TCP `port`; empty when it cannot be told."""
    inodes = _inodes(port, proc)
    if not inodes:
        return ""
    links = {f"socket:[{inode}]" for inode in inodes}
    for process in proc.glob("[0-9]*"):
        with suppress(OSError):
            if any(_target(file) in links for file in (process / "fd").iterdir()):
                name = (process / "comm").read_text(errors="replace").strip()
                return f"{re.sub(r'[^ -~]', '?', name)} (process {process.name})"
    return ""


def _inodes(port: int, proc: Path) -> set[str]:
    """Column 1 is the local HEXADDRESS:HEXPORT, 3 the state, 9 the inode."""
    found = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (proc / "self/net" / table).read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == _LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                    found.add(columns[9])
    return found


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
