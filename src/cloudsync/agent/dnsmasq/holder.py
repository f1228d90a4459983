"""Who sits on the port that guests' resolver needs: asked before dnsmasq starts, for an error that names it."""

import errno
import socket
from contextlib import suppress
from pathlib import Path

from cloudsync.model.problem import HostError

_IP_FREEBIND = 15
DNS = 53


def check_free(address: str, port: int = DNS) -> None:
    """Raise HostError naming the process that keeps `address`:`port` from being bound, UDP or TCP.

    The address need not be there yet. Call it while no dnsmasq of ours runs.
    """
    for kind, name in ((socket.SOCK_DGRAM, "udp"), (socket.SOCK_STREAM, "tcp")):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as refusal:
                if refusal.errno != errno.EADDRINUSE:
                    raise HostError(f"port {port}/{name} of {address} cannot be used: {refusal.strerror}") from None
                raise HostError(
                    f"port {port}/{name} of {address} is taken by {holder(name, port)}: guests would get no names",
                    "stop it, or have it listen on its own addresses instead of all of them"
                    f" (who has it: sudo ss -lntup 'sport = :{port}')",
                ) from None


def holder(kind: str, port: int) -> str:
    """NAME (pid N) of a process that holds `port`; `kind` is udp or tcp.

    Only who may trace processes of other users sees their files: an agent under systemd cannot name all of them.
    """
    inodes = {inode for table in (kind, f"{kind}6") for inode in _inodes(Path(f"/proc/net/{table}"), port)}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                links = {str(link.readlink()) for link in (process / "fd").iterdir()}
                if links & inodes:
                    return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return "another process"


def _inodes(table: Path, port: int) -> list[str]:
    """Sockets bound to `port`, as the links under /proc/PID/fd show them."""
    if not table.exists():
        return []
    rows = (line.split() for line in table.read_text().splitlines()[1:])
    return [
        f"socket:[{row[9]}]" for row in rows if int(row[1].rpartition(":")[2], 16) == port and row[3] in ("07", "0A")
    ]
