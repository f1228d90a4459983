"""The metadata service as a part of the agent: a document in, records to the process; what guests report, out.

`apply` returns only when the process answers from the new records, so that they are there before a guest's CPU runs.
The process outlives the agent, and the next one takes over from it.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock

from cloudsync.agent.boots import load, now
from cloudsync.agent.memo import Memo
from cloudsync.agent.metadata import predecessor
from cloudsync.agent.metadata.confine import FALLBACK, USER, user
from cloudsync.agent.metadata.documents import records
from cloudsync.agent.metadata.fold import anew, fold
from cloudsync.agent.metadata.limits import Limits
from cloudsync.agent.metadata.passwords import Passwords
from cloudsync.agent.metadata.port import listen
from cloudsync.agent.metadata.reports import Password, Report, from_json
from cloudsync.agent.metadata.supervisor import Supervisor
from cloudsync.agent.metadata.tally import Counts
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import Boot, Drift

log = logging.getLogger("cloudsync.metadata")

_PING_SECONDS = 2.0


class MetadataPart:
    """`on_boot` gets each change of what a guest said about its boot, and `on_asked` how guests were answered, from a
    thread of this part.

    `state` is the agent's folder: boots.json there (boots.py writes it) is where a restarted agent goes on.
    `port` 0 takes a free one; `self.port` is the one in use after the first `apply`.
    """

    name = "metadata"
    # Without it a guest could ask from another one's address.
    needs: tuple[str, ...] = ("firewall",)

    def __init__(
        self,
        port: int,
        state: Path,
        on_boot: Callable[[Boot], None],
        address: str = "0.0.0.0",  # noqa: S104 (a redirect sends guests to the address of their own tap)
        limits: Limits | None = None,
        on_asked: Callable[[Counts], None] = lambda _counts: None,
    ) -> None:
        self.port = port
        self._on_asked = on_asked
        self._address, self._state, self._on_boot = address, state, on_boot
        self._limits = limits or Limits()
        self._passwords = Passwords(state / "passwords.json")
        self._boots = load(state / "boots.json")
        self._boots_lock = Lock()
        self._lock = Lock()
        self._memo = Memo()
        self._listener: socket.socket | None = None
        self._supervisor: Supervisor | None = None

    @property
    def pid(self) -> int | None:
        """The process that answers guests, None while there is none."""
        return self._supervisor.pid if self._supervisor else None

    def prepare(self, document: HostDocument) -> None:
        """Work out what `apply` will need, and change nothing."""
        with self._lock:
            self._memo.turn()
            records(document, self._passwords.all(), self._memo)

    def apply(self, document: HostDocument) -> None:
        with self._lock:
            self._memo.turn()
            supervisor = self._started(document)
            supervisor.change(records(document, self._passwords.all(), self._memo))
            if document.generation:
                self._forget_others(document)

    def drift(self, document: HostDocument) -> tuple[Drift, ...]:
        with self._lock:
            message = self._difference(document)
        if not message:
            return ()
        return (Drift(address=f"host.{document.host}", host=document.host, message=message),)

    def close(self) -> None:
        """Guests are answered on."""
        with self._lock:
            if self._supervisor is not None:
                self._supervisor.close()
                self._supervisor = None
            if self._listener is not None:
                self._listener.close()
                self._listener = None

    def power_on(self, uuid: str) -> None:
        self._tell(uuid, anew)

    def _started(self, document: HostDocument) -> Supervisor:
        if self._supervisor is None:
            empty = self._state / "empty"
            try:
                empty.mkdir(mode=0o555, parents=True, exist_ok=True)
            except OSError as error:
                raise HostError(f"{empty} cannot be made: {error.strerror}", "make room, or remove it") from error
            _warn_of_shared_user()
            found = predecessor.find(self._state)
            self._hear_all(found.kept if found else (), document)
            self._listener = self._listening(found)
            self.port = self._listener.getsockname()[1]
            self._supervisor = Supervisor(self._listener, self._state, self._limits, self._hear, found, self._on_asked)
        return self._supervisor

    def _listening(self, found: predecessor.Predecessor | None) -> socket.socket:
        """The one it had, unless another one is wanted by now."""
        if found is None:
            return listen(self._address, self.port)
        address, port = found.listener.getsockname()
        if address == self._address and self.port in (0, port):
            return found.listener
        found.listener.close()
        try:
            return listen(self._address, self.port)
        except HostError:
            found.leave()
            raise

    def _hear_all(self, kept: Iterable[Mapping[str, object]], document: HostDocument) -> None:
        """What guests of this host have said while there was no agent. Of a document that could not be read, all."""
        uuids = {instance.uuid for instance in document.instances.values()}
        for message in kept:
            with suppress(ValueError):
                uuid, report = from_json(message)
                if uuid in uuids or not document.generation:
                    self._hear(uuid, report)

    def _difference(self, document: HostDocument) -> str:
        supervisor = self._supervisor
        if supervisor is None:
            return "the metadata service does not run"
        passwords = {uuid: record.password for uuid, record in supervisor.records.items()}
        self._memo.turn()
        if supervisor.records != records(document, passwords, self._memo):
            return "the metadata service has other records than the document"
        try:
            supervisor.change(supervisor.records, _PING_SECONDS)
        except HostError as error:
            return error.message
        return ""

    def _forget_others(self, document: HostDocument) -> None:
        """Generation 0 stands for a document that could not be read: what its guests said is still true."""
        uuids = {instance.uuid for instance in document.instances.values()}
        self._passwords.keep(uuids)
        with self._boots_lock:
            self._boots = {uuid: boot for uuid, boot in self._boots.items() if uuid in uuids}

    def _hear(self, uuid: str, report: Report) -> None:
        if isinstance(report, Password):
            self._passwords.put(uuid, report.data)
            return
        self._tell(uuid, lambda boot, at: fold(boot, report, at))

    def _tell(self, uuid: str, change: Callable[[Boot, str], Boot]) -> None:
        with self._boots_lock:
            old = self._boots.get(uuid, Boot(uuid=uuid))
            new = change(old, now())
            self._boots[uuid] = new
        if new != old:
            self._on_boot(new)


def _warn_of_shared_user() -> None:
    with suppress(LookupError):
        if os.geteuid() == 0 and user().pw_name != USER:
            log.warning("there is no user %s: the metadata service runs as %s, as other services may", USER, FALLBACK)
            log.warning("to make it: useradd --system --user-group --shell /usr/sbin/nologin %s", USER)
