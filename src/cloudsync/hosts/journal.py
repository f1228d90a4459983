"""The journal of a host, real or simulated, for one cloud. Implements apply.driver.Journal; the drivers hand it out."""

import os
from dataclasses import field
from pathlib import Path

from cloudsync.hosts.agent_client import AgentClient
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import Applied
from cloudsync.model.journal import Entry, Line, cut_off, entries, latest, line, of_cloud
from cloudsync.model.problem import HostError


@dataclass(frozen=True, slots=True)
class AgentJournal:
    """A real host's: its agent keeps it."""

    agent: AgentClient
    cloud: str

    def note(self, record: Line) -> None:
        self.agent.note(record)

    def applies(self, limit: int) -> tuple[Entry, ...]:
        return self.agent.applies(self.cloud, limit)


@dataclass(slots=True)
class SimJournal:
    """A simulated host's: in a file beside its state, or in memory. `generation` is what its document has, `down` why
    the host cannot be reached."""

    path: Path | None
    cloud: str
    generation: int = 0
    down: str = ""
    _lines: list[bytes] = field(default_factory=list)

    def note(self, record: Line) -> None:
        self._reach()
        text = line(record, self.generation)
        if self.path is None:
            self._lines.append(text)
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
                file.write(text)
        except OSError as error:
            raise self._refused(error) from None

    def applies(self, limit: int) -> tuple[Entry, ...]:
        self._reach()
        return of_cloud(self._entries(), self.cloud, limit)

    def latest(self) -> Applied | None:
        try:
            return latest(self._entries()).get(self.cloud)
        except HostError:
            return None

    def cut_off(self) -> frozenset[str]:
        try:
            return cut_off(self._entries()).get(self.cloud, frozenset())
        except HostError:
            return frozenset()

    def _entries(self) -> tuple[Entry, ...]:
        try:
            return entries(self.path.read_bytes().split(b"\n") if self.path else self._lines)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._refused(error) from None

    def _reach(self) -> None:
        if self.down:
            raise HostError(self.down, "bring the host back")

    def _refused(self, error: OSError) -> HostError:
        return HostError(f"{self.path}: {(error.strerror or 'no reason given').lower()}", "check who may write there")
