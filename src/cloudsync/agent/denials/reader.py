"""The thread that reads denied packets while there is a group that wants them told. daemon.py and app.py start it."""

import logging
import os
import select
import threading
from collections.abc import Callable
from socket import socket

from cloudsync.agent.denials import message, nflog, packet
from cloudsync.agent.denials.record import Record
from cloudsync.agent.firewall import denied
from cloudsync.agent.mishap import mishap
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError

log = logging.getLogger("cloudsync.agent")

_PER_SECOND = 1000
"""Packets that are looked at; the kernel throws the rest away."""
_AGAIN = 10.0
"""Seconds until the socket is asked for again after a refusal."""


class Reader:
    """`fault` says why nothing can be read, empty while all is well. `opened` gives the socket."""

    def __init__(self, record: Record, opened: Callable[[], socket] = lambda: nflog.opened(denied.GROUP)) -> None:
        self.record = record
        self.fault = ""
        self._opened = opened
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._wake: tuple[int, int] = (-1, -1)
        self._lock = threading.Lock()

    def suit(self, document: HostDocument | None) -> None:
        """Read if a group of `document` logs what it denies, else do not; forget ports that are gone."""
        instances = document.instances.values() if document else ()
        self.record.keep(nic.tap for instance in instances for nic in instance.nics)
        wanted = any(group.log_denied for group in document.groups.values()) if document else False
        with self._lock:
            if wanted and self._thread is None:
                self._start()
            elif not wanted:
                self._end()

    def close(self) -> None:
        with self._lock:
            self._end()

    def _start(self) -> None:
        self._stop.clear()
        self._wake = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="denied packets", daemon=True)
        self._thread.start()

    def _end(self) -> None:
        if self._thread is None:
            return
        self._stop.set()
        os.write(self._wake[1], b"!")
        self._thread.join()
        for end in self._wake:
            os.close(end)
        self._thread, self.fault = None, ""

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._opened() as netlink:
                    self.fault = ""
                    self._read(netlink)
            except HostError as error:
                if self.fault != error.message:
                    log.error("%s; %s", error.message, error.hint)
                self.fault = error.message
                self._stop.wait(_AGAIN)
            except Exception as error:
                log.error("the reading of denied packets failed: %s", mishap(error))
                self._stop.wait(_AGAIN)

    def _read(self, netlink: socket) -> None:
        while not self._stop.is_set():
            select.select([netlink.fileno(), self._wake[0]], [], [])
            if not self._stop.is_set():
                self._stop.wait(self._take(nflog.datagram(netlink)) / _PER_SECOND)

    def _take(self, datagram: bytes) -> int:
        """How many packets there were."""
        count = 0
        for prefix, data in message.packets(datagram):
            count += 1
            port = denied.port(prefix)
            found = packet.denial(port.side, data) if port else None
            if port and found:
                self.record.add(port, found)
        return count
