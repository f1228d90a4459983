"""A namespace that takes the place of a running machine's guest: what is behind its tap answers from there.

The tap is put aside and comes back afterwards; the host's rules take the understudy for the guest, by tap, MAC and
address.
"""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from cloudsync.model.resources import Nic
from tests.effort import PATIENCE
from tests.lab.namespace import Namespace, ip

_ASIDE = "cst-aside"


@dataclass(frozen=True)
class Understudy:
    namespace: Namespace
    nic: Nic

    @contextmanager
    def listen(self, port: int) -> Iterator[socket.socket]:
        with self.namespace.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((self.nic.address, port))
            server.listen()
            yield server

    def post(self, path: str, body: bytes) -> bytes:
        """To the metadata service; the first line of its answer."""
        with self.namespace.socket() as client:
            client.settimeout(PATIENCE)
            client.connect(("169.254.169.254", 80))
            head = f"POST {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            client.sendall(head.encode() + body)
            return client.recv(65536).partition(b"\r\n")[0]


@contextmanager
def understudy(nic: Nic, gateway: str) -> Iterator[Understudy]:
    """For as long as the block lasts."""
    namespace = Namespace.new("guest")
    _rename(nic.tap, _ASIDE)
    try:
        ip("link", "add", nic.tap, "type", "veth", "peer", "name", "eth0", "netns", namespace.name)
        namespace.ip("link", "set", "eth0", "address", nic.mac)
        _dress(nic, gateway)
        namespace.ip("link", "set", "eth0", "up")
        namespace.ip("addr", "add", f"{nic.address}/32", "dev", "eth0")
        namespace.ip("route", "add", gateway, "dev", "eth0")
        namespace.ip("route", "add", "default", "via", gateway, "dev", "eth0")
        yield Understudy(namespace, nic)
    finally:
        with suppress(subprocess.CalledProcessError):
            ip("link", "del", nic.tap)
        namespace.remove()
        # The machine, and its tap with it, may be gone by now.
        with suppress(subprocess.CalledProcessError):
            _rename(_ASIDE, nic.tap)
            _dress(nic, gateway)


def _rename(old: str, new: str) -> None:
    ip("link", "set", old, "down")
    ip("link", "set", old, "name", new)


def _dress(nic: Nic, gateway: str) -> None:
    """As libvirt does it."""
    with suppress(subprocess.CalledProcessError):
        ip("addr", "add", f"{gateway}/32", "peer", f"{nic.address}/32", "dev", nic.tap)
    ip("link", "set", nic.tap, "up")
