"""DHCP and DNS as the agent's Part: one dnsmasq while this host has instances, none otherwise.

It outlives the agent, which takes it over when it comes back: guests keep their resolver while the agent is upgraded.
"""

import logging
import subprocess
import threading
from contextlib import suppress
from dataclasses import field
from pathlib import Path

from cloudsync.agent.dnsmasq import holder, process
from cloudsync.agent.dnsmasq.config import Files, files
from cloudsync.agent.dnsmasq.watch import Watch
from cloudsync.agent.memo import Memo
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import Drift

log = logging.getLogger("cloudsync.agent")


def end_all(run: Path) -> None:
    """End every dnsmasq of ours that serves this network, whoever started it."""
    for found in process.running(run / "dnsmasq"):
        process.stop(found.pid)


@dataclass(slots=True)
class Dnsmasq:
    """`run` is the agent's runtime folder; dnsmasq's own user must be able to enter it."""

    run: Path
    name: str = "dnsmasq"
    needs: tuple[str, ...] = ()
    _child: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    _pid: int | None = field(default=None, repr=False)
    _read: bool = field(default=False, repr=False)
    _wanted: tuple[Files, HostDocument] | None = field(default=None, repr=False)
    _watch: Watch = field(init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _memo: Memo = field(default_factory=Memo, repr=False)

    def __post_init__(self) -> None:
        self._watch = Watch(self._revive)

    @property
    def folder(self) -> Path:
        return self.run / "dnsmasq"

    def prepare(self, document: HostDocument) -> None:
        """Work out what `apply` will need, and change nothing."""
        with self._lock:
            self._memo.turn()
            files(document, self.folder, process.user(), self._memo)

    def apply(self, document: HostDocument) -> None:
        """Write what differs, then signal or replace the process. Raise HostError with the old one still serving where
        the new configuration is no good."""
        with self._lock:
            self._memo.turn()
            wanted = files(document, self.folder, process.user(), self._memo)
            self._reap()
            if document.instances:
                self._serve(wanted, document)
                self._wanted = wanted, document
            else:
                self._wanted = None
                self._stop()

    def drift(self, document: HostDocument) -> tuple[Drift, ...]:
        if not document.instances:
            return ()
        with self._lock:
            self._memo.turn()
            wanted = files(document, self.folder, process.user(), self._memo)
            self._reap()
            found = [*self._process_drift(wanted, document), *self._file_drift(wanted, document)]
        return tuple(Drift(address=address, host=document.host, message=message) for address, message in found)

    def close(self) -> None:
        """dnsmasq goes on; nobody starts another one when it dies."""
        self._watch.close()

    def _revive(self) -> None:
        """In the thread that watches: it has died, unless a change of ours ended it."""
        with self._lock:
            self._reap()
            if self._wanted is None:
                return
            if not self._running():
                log.error("dnsmasq has ended, another one is started; it said: %s", process.last(self.folder / "log"))
            self._serve(*self._wanted)

    def _serve(self, wanted: Files, document: HostDocument) -> None:
        configuration = self._prepared(wanted)
        there = self._running()
        right = [found for found in there if found.title == wanted.title]
        if not right:
            process.check(configuration)
        changed = [self._written(name, text) for name, text in wanted.read_again.items()]
        for found in there:
            if found not in right[:1]:
                process.stop(found.pid)
        if right:
            self._pid = right[0].pid
            if any(changed) or not self._read:
                process.reload(right[0], self.folder / "log")
        else:
            self._pid = self._start(configuration, document)
        self._watch.follow(self._pid)
        self._read = True
        self._forget_old(configuration)

    def _running(self) -> tuple[process.Process, ...]:
        """Nobody else starts any, so one that is known and runs is the only one."""
        return process.running(self.folder, known=self._pid)

    def _start(self, configuration: Path, document: HostDocument) -> int:
        """Its process."""
        for network in document.networks.values():
            holder.check_free(network.gateway)
        try:
            self._child = process.start(configuration, self.folder / "log")
        except HostError as problem:
            if "Address already in use" in problem.message:
                who = holder.holder("udp", 67)
                raise HostError(f"port 67/udp is taken by {who}: guests would get no address", "stop it") from None
            raise
        return self._child.pid

    def _prepared(self, wanted: Files) -> Path:
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        if not self.run.stat().st_mode & 0o001:
            raise HostError(f"user {process.user()} cannot enter {self.run}", f"chmod o+x {self.run}")
        configuration = process.path(self.folder, wanted.title)
        self._written(configuration.name, wanted.configuration)
        return configuration

    def _written(self, name: str, text: str) -> bool:
        """Whether the file was not so already. Readers see the old text or the new."""
        path = self.folder / name
        if _holds(path, text):
            return False
        fresh = path.with_name(f".{name}.new")
        fresh.write_bytes(text.encode())
        fresh.chmod(0o644)
        fresh.replace(path)
        return True

    def _forget_old(self, configuration: Path) -> None:
        for path in self.folder.glob("*.conf"):
            if path != configuration:
                path.unlink(missing_ok=True)

    def _stop(self) -> None:
        self._watch.follow(None)
        end_all(self.run)
        self._reap()

    def _reap(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            self._child = None

    def _process_drift(self, wanted: Files, document: HostDocument) -> list[tuple[str, str]]:
        there = self._running()
        host = f"host.{document.host}"
        if not there:
            return [(host, "dnsmasq is not running: instances get neither addresses nor names")]
        if [found.title for found in there] != [wanted.title]:
            return [(host, "dnsmasq runs on another configuration, or more than once")]
        return []

    def _file_drift(self, wanted: Files, document: HostDocument) -> list[tuple[str, str]]:
        host = f"host.{document.host}"
        found: list[tuple[str, str]] = []
        configuration = process.path(self.folder, wanted.title)
        if not _holds(configuration, wanted.configuration):
            found.append((host, f"dnsmasq's configuration {configuration} was changed"))
        owners = {nic.tap: f"instance.{name}" for name, one in document.instances.items() for nic in one.nics}
        lines = set((_text(self.folder / "guests") or "").splitlines())
        for line in wanted.guests.splitlines():
            if line not in lines:
                tap = line.split(",")[1].removeprefix("tag:")
                found.append((owners[tap], "its DHCP entry is missing"))
        if not found and not _holds(self.folder / "guests", wanted.guests):
            found.append((host, f"foreign DHCP entries were added to {self.folder / 'guests'}"))
        if not _holds(self.folder / "options", wanted.options):
            found.append((host, f"the DHCP options of second network cards were changed: {self.folder / 'options'}"))
        if not _holds(self.folder / "names", wanted.names):
            found.append((host, f"the names that dnsmasq serves were changed: {self.folder / 'names'}"))
        return found


def _holds(path: Path, text: str) -> bool:
    with suppress(OSError):
        return path.read_bytes() == text.encode()
    return False


def _text(path: Path) -> str | None:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text()
    return None
