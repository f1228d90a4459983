"""The door to libvirt: a connection that reopens, libvirt's errors as HostError, lifecycle events.

The only module that imports libvirt; the others of this package take it from here as `lv`, with its habit of writing
errors to stderr switched off.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from urllib.parse import quote

from cloudsync.hosts.libvirt.loop import Loop
from cloudsync.hosts.libvirt.tls import explain_tls
from cloudsync.hosts.way import Way
from cloudsync.model.problem import CloudsyncError, HostError, TransientError
from cloudsync.spec.uri import Reach, reach

# It reads this when it is imported, and would write warnings to stderr, beside what is raised.
os.environ.setdefault("LIBVIRT_DEBUG", "4")
try:
    import libvirt as lv
except ImportError as error:
    # libvirt-python is there wherever cloudsync is; Debian's library that it binds is a package apart.
    raise CloudsyncError(f"libvirt's library cannot be used: {error}", "as root: apt-get install libvirt0") from error

T = TypeVar("T")
__all__ = ["Connection", "explain", "lv", "tell_monitor"]

STOPPED = frozenset(
    {lv.VIR_DOMAIN_EVENT_STOPPED, lv.VIR_DOMAIN_EVENT_UNDEFINED, lv.VIR_DOMAIN_EVENT_CRASHED}
)  # fmt: skip
_DETAILS = {
    (lv.VIR_DOMAIN_EVENT_STOPPED, lv.VIR_DOMAIN_EVENT_STOPPED_CRASHED): "crashed",
    (lv.VIR_DOMAIN_EVENT_STOPPED, lv.VIR_DOMAIN_EVENT_STOPPED_FAILED): "failed",
    (lv.VIR_DOMAIN_EVENT_STOPPED, lv.VIR_DOMAIN_EVENT_STOPPED_MIGRATED): "",
    (lv.VIR_DOMAIN_EVENT_UNDEFINED, lv.VIR_DOMAIN_EVENT_UNDEFINED_RENAMED): "",
}
_WORDS = {
    lv.VIR_DOMAIN_EVENT_STOPPED: "stopped",
    lv.VIR_DOMAIN_EVENT_CRASHED: "crashed",
    lv.VIR_DOMAIN_EVENT_UNDEFINED: "was undefined",
}
_KEEPALIVE = (5, 3)
"""Seconds between two questions whether the other end lives, and how many of them may go without an answer."""

_CLOSING = 0.5

Heard = Callable[[str, str, str], None]
"""Takes a machine's uuid, its name, and what became of it: `crashed`."""

_START = "start it on that host: systemctl start libvirtd, or `virtlogd -d; libvirtd -d` where there is no systemd"
_BROKE = "see whether that host is up; if it is, start libvirtd there: systemctl start libvirtd"
_GROUP = "add yourself to the group libvirt (usermod -aG libvirt USER, then log in again), or run this as root"
_FULL = "free space on that file system, or make it bigger"

lv.registerErrorHandler(lambda *_: None, None)
# Connections take part in events only if the loop's implementation is registered before they are opened.
lv.virEventRegisterDefaultImpl()
_loop = Loop(lv.virEventRunDefaultImpl)


class Connection:
    """One host's libvirt. Threads share it: libvirt's protocol carries several calls at once."""

    def __init__(
        self, host: str, uri: str, way: Way | None = None, sockets: Sequence[str] = (), query: str = ""
    ) -> None:
        """With a `way`, libvirt is at the first of `sockets` that answers where that leads, and `query` goes with it;
        `uri` is what messages call it. `far`: every call has to travel to another machine and back."""
        self.host, self.uri = host, uri
        self.far = way is not None or reach(uri) is Reach.TLS
        self._way, self._sockets, self._query = way, tuple(sockets), f"&{query}" * bool(query)
        self._lock = threading.Lock()
        self._open: Any = None
        self._at = uri
        self._kept: dict[Any, tuple[Any, Any]] = {}
        self._heard: tuple[Any, int] | None = None
        self._waiters: list[tuple[str, threading.Event]] = []
        self._attending: tuple[tuple[Heard, Callable[[], None]], ...] = ()

    @property
    def raw(self) -> Any:
        """The virConnect, opened or reopened when needed. Raise HostError when libvirt cannot be reached."""
        with self._lock:
            if self._open is None or not self._open.isAlive():
                self._forget()
                self._open = self._through(self._way) if self._way and self._sockets else self._opened(self.uri)
                _loop.soon()
            return self._open

    @property
    def at(self) -> str:
        """The URI by which another program on this machine reaches it while this connection is there."""
        _ = self.raw
        return self._at

    def _opened(self, uri: str) -> Any:
        try:
            found = lv.open(uri)
            if reach(uri) is Reach.TLS:
                # Nothing else tells when the machine at the other end is gone.
                _loop.need()
                found.setKeepAlive(*_KEEPALIVE)
            return found
        except lv.libvirtError as error:
            raise explain_open(self.host, self.uri, error) from error

    def _through(self, way: Way) -> Any:
        """A socket that nobody listens at over there is closed at once over here."""
        for there in self._sockets:
            self._at = f"qemu+unix:///system?socket={quote(str(way.socket(there)))}{self._query}"
            try:
                return lv.open(self._at)
            except lv.libvirtError as error:
                if error.get_error_domain() != lv.VIR_FROM_RPC:
                    raise explain_open(self.host, self.uri, error) from error
        raise way.trouble(self._sockets[0])

    @property
    def alive(self) -> bool:
        """Whether there is a connection that has not been found broken."""
        with self._lock:
            return self._open is not None and bool(self._open.isAlive())

    def kept(self, read: Callable[[Any], T]) -> T:
        """What `read` finds through the virConnect, asked once for each that is opened."""
        raw, known = self.raw, self._kept.get(read)
        if known is None or known[0] is not raw:
            known = self._kept[read] = (raw, read(raw))
        return known[1]

    @contextmanager
    def doing(self, what: str) -> Iterator[Any]:
        """The virConnect for calls that do `what` ("start web-1"); libvirt's errors come out as HostError."""
        raw = self.raw
        try:
            yield raw
        except lv.libvirtError as error:
            raise explain(self.host, what, error) from error

    @contextmanager
    def stopping(self, uuid: str) -> Iterator[threading.Event]:
        """An event that is set when that domain stops, from now on."""
        self._listen()
        waiter = (uuid, threading.Event())
        with self._lock:
            self._waiters.append(waiter)
        try:
            yield waiter[1]
        finally:
            with self._lock:
                self._waiters.remove(waiter)

    @contextmanager
    def attending(self, heard: Heard, lost: Callable[[], None]) -> Iterator[None]:
        """`heard` is told of every machine that stops, crashes or is undefined; `lost` that nothing more is heard, for
        libvirt or the way to it is gone. Both from another thread, where nothing may wait."""
        one = (heard, lost)
        self._listen()
        with self._lock:
            self._attending += (one,)
            heard_of = self._heard is not None and self._heard[0].isAlive()
        try:
            if not heard_of:
                raise TransientError(f"host {self.host}: the connection to libvirtd broke", _BROKE)
            yield
        finally:
            with self._lock:
                self._attending = tuple(each for each in self._attending if each is not one)

    @contextmanager
    def losing(self, domain: Any) -> Iterator[threading.Event]:
        """An event that is set when that domain has let go of a device, from now on. One at a time for a domain."""
        raw, lost = self.raw, threading.Event()
        _loop.need()
        kind = lv.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED
        ticket = raw.domainEventRegisterAny(domain, kind, lambda *_: lost.set(), None)
        try:
            yield lost
        finally:
            with suppress(lv.libvirtError):
                raw.domainEventDeregisterAny(ticket)

    def close(self) -> None:
        """One that is still being opened, to a host that is silent, is left to the end of the process."""
        if self._lock.acquire(timeout=_CLOSING):
            try:
                self._forget()
            finally:
                self._lock.release()

    def _listen(self) -> None:
        """Once per virConnect: libvirt takes one callback for a domain and a kind of event, not several."""
        raw = self.raw
        _loop.need()
        with self._lock:
            if self._heard is None or self._heard[0] is not raw:
                ticket = raw.domainEventRegisterAny(None, lv.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._hear, None)
                self._heard = (raw, ticket)
                with suppress(lv.libvirtError):  # not every way to libvirt has it
                    raw.registerCloseCallback(self._closed, None)
                    raw.setKeepAlive(*_KEEPALIVE)

    def _closed(self, _connection: Any, _reason: int, _opaque: Any) -> None:
        for _, lost in self._attending:
            lost()

    def _hear(self, _connection: Any, domain: Any, event: int, detail: int, _opaque: Any) -> None:
        word = _DETAILS.get((event, detail), _WORDS.get(event, ""))
        for heard, _ in self._attending if word else ():
            heard(domain.UUIDString(), domain.name(), word)
        if event in STOPPED:
            uuid = domain.UUIDString()
            with self._lock:
                for wanted, stopped in self._waiters:
                    if wanted == uuid:
                        stopped.set()

    def _forget(self) -> None:
        if self._heard is not None:
            raw, ticket = self._heard
            self._heard = None
            self._closed(raw, 0, None)
            for undo in (raw.unregisterCloseCallback, lambda: raw.domainEventDeregisterAny(ticket)):
                with suppress(lv.libvirtError):
                    undo()
        if self._open is not None:
            with suppress(lv.libvirtError):
                self._open.close()
            self._open = None
        self._kept.clear()


def tell_monitor(domain: Any, command: str) -> None:
    """One command without arguments to QEMU itself. Raise libvirtError when it refuses."""
    import libvirt_qemu  # type: ignore[import-untyped]

    answer = json.loads(libvirt_qemu.qemuMonitorCommand(domain, json.dumps({"execute": command}), 0))
    if "error" in answer:
        raise lv.libvirtError(str(answer["error"].get("desc", "QEMU refused")))


def explain_open(host: str, uri: str, error: lv.libvirtError) -> HostError:
    """Why libvirt cannot be reached, and the command that mends it."""
    text = _message(error)
    if reach(uri) is Reach.TLS:
        return explain_tls(host, uri, text)
    if "Permission denied" in text or error.get_error_code() in (lv.VIR_ERR_AUTH_FAILED, lv.VIR_ERR_AUTH_UNAVAILABLE):
        return HostError(f"host {host}: no permission to use libvirt at {uri}", _GROUP)
    if "system bus" in text:
        what = f"host {host}: libvirt at {uri} asks polkit who may use it, and there is none"
        return HostError(
            what, 'log in as root, or write auth_unix_rw = "none" into libvirtd.conf there: its group decides'
        )
    if "Failed to connect socket" in text or "Connection refused" in text:
        return TransientError(f"host {host}: libvirtd is not running ({uri})", _START)
    return HostError(f"host {host}: libvirt cannot be reached at {uri}: {text}", f"try: virsh -c '{uri}' version")


def explain(host: str, what: str, error: lv.libvirtError) -> HostError:
    """A failed call as "host H: cannot WHAT: why"."""
    text = _message(error)
    if error.get_error_domain() == lv.VIR_FROM_RPC or "client socket is closed" in text:
        return TransientError(f"host {host}: cannot {what}: the connection to libvirtd broke", _BROKE)
    if error.get_error_code() == lv.VIR_ERR_OPERATION_TIMEOUT:
        hint = "another job works on it: virsh domjobinfo NAME shows which; run this again when it is over"
        return TransientError(f"host {host}: cannot {what}: {text}", hint)
    hint = ""
    if "No space left on device" in text:
        hint = _FULL
    elif "Cannot allocate memory" in text:
        hint = "free memory on that host, or set its `reserved.memory` higher so that less is placed there"
    return HostError(f"host {host}: cannot {what}: {text}", hint)


def _message(error: lv.libvirtError) -> str:
    """libvirt's text on one line; terminals get no control characters from it."""
    text = error.get_error_message() or str(error)
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
