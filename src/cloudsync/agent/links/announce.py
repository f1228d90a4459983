"""Telling the uplink's neighbours that floating addresses are here: gratuitous ARP. The door to packet sockets.

Others keep an address's old hardware address for minutes unless they are told. ARP is not confirmed, so it is said more
than once; and the uplink may come later than the agent, so it is waited for.
"""

import logging
import socket
import struct
import threading
from collections.abc import Iterable

from cloudsync.agent import uplink
from cloudsync.agent.links import sysctl
from cloudsync.model.problem import HostError

log = logging.getLogger("cloudsync.agent")

ROUNDS, PAUSE, PATIENCE = 3, 1.0, 300
"""How often, with how many seconds between; how many rounds the uplink is waited for."""
_ETHERNET, _ARP = 1, 0x0806
_REQUEST, _REPLY = 1, 2
_EVERYBODY = b"\xff" * 6


class Announcer:
    """One thread at most; `announce` sends the first round itself."""

    def __init__(self) -> None:
        self._left: dict[str, int] = {}
        self._uplink: str | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def announce(self, fresh: Iterable[str], wanted: Iterable[str], device: str | None) -> None:
        """Say that `fresh` are here; what is not in `wanted` is said no more. `device` None is the default route's."""
        with self._lock:
            kept, new = set(wanted), dict.fromkeys(fresh, ROUNDS)
            self._left = {one: count for one, count in self._left.items() if one in kept} | new
            self._uplink = device
            if new:
                self._round()
            if self._left and (self._thread is None or not self._thread.is_alive()):
                self._stop.clear()
                self._thread = threading.Thread(target=self._repeat, name="announcer", daemon=True)
                self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _repeat(self) -> None:
        for _ in range(PATIENCE):
            if self._stop.wait(PAUSE):
                return
            with self._lock:
                self._round()
                if not self._left:
                    self._thread = None
                    return

    def _round(self) -> None:
        device = self._uplink or uplink.find()
        if device and self._left and introduce(device, self._left):
            self._left = {one: count - 1 for one, count in self._left.items() if count > 1}


def introduce(device: str, addresses: Iterable[str]) -> bool:
    """One round; False when the device is not there or not up."""
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0) as raw:
            raw.bind((device, 0))
            _answer_at_once(device)
            _, _, _, kind, hardware = raw.getsockname()
            if kind == _ETHERNET:
                for address in sorted(addresses):
                    for operation in (_REQUEST, _REPLY):
                        raw.send(frame(operation, hardware, address))
    except OSError:
        return False
    return True


def frame(operation: int, hardware: bytes, address: str) -> bytes:
    """Sender and target are the same: some neighbours learn from the question, some from the answer only."""
    bare = socket.inet_aton(address)
    body = struct.pack("!HHBBH", _ETHERNET, 0x0800, 6, 4, operation) + hardware + bare + _EVERYBODY + bare
    return _EVERYBODY + hardware + struct.pack("!H", _ARP) + body


def _answer_at_once(device: str) -> None:
    """The kernel holds answers for proxied addresses back by up to 0.8 s."""
    try:
        sysctl.put(f"net/ipv4/neigh/{device}/proxy_delay", 0)
    except HostError as problem:
        log.info("%s", problem.message)
