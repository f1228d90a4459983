"""Keeps the process running and its records what the agent last committed; a new one gets them before it is used.

Its thread starts the process, reads what it says, and starts the next when it has died. The one that an earlier agent
left answers guests until the first of these is ready.
"""

import logging
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Condition, Lock, Thread

from cloudsync.agent.metadata import control, tally
from cloudsync.agent.metadata.child import Child
from cloudsync.agent.metadata.limits import Limits
from cloudsync.agent.metadata.predecessor import Predecessor
from cloudsync.agent.metadata.record import Record
from cloudsync.agent.metadata.reports import Password, Report, from_json
from cloudsync.agent.metadata.tally import Counts
from cloudsync.agent.mishap import mishap
from cloudsync.model.problem import HostError

log = logging.getLogger("cloudsync.metadata")

_START_SECONDS = 20.0
_ANSWER_SECONDS = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_LOG = "its reason is in the agent's log: journalctl -u cloudsync-agent"


class Supervisor:
    def __init__(
        self,
        listener: socket.socket,
        folder: Path,
        limits: Limits,
        on_report: Callable[[str, Report], None],
        predecessor: Predecessor | None = None,
        on_asked: Callable[[Counts], None] = lambda _counts: None,
    ) -> None:
        """`folder` is the agent's, with the folder `empty` in it. Nothing is started before the first `change`."""
        self._listener, self._folder, self._limits, self._on_report = listener, folder, limits, on_report
        self._predecessor, self._on_asked = predecessor, on_asked
        self._turn = Lock()
        self._changed = Condition()
        self._child: Child | None = None
        self._ready: Child | None = None
        self._records: Mapping[str, Record] = {}
        self._proposed: Mapping[str, Record] = {}
        self._number = 0
        self._answer: str | None = None
        self._why = ""
        self._hopeless = False
        self._closing = False
        self._thread: Thread | None = None

    @property
    def records(self) -> Mapping[str, Record]:
        """What the process answers from, by uuid."""
        return self._records

    @property
    def pid(self) -> int | None:
        """Of the process that answers now; None while there is none."""
        ready = self._ready
        return ready.pid if ready else None

    def change(self, records: Mapping[str, Record], patience: float = _START_SECONDS) -> None:
        """Return when guests get `records` and no others. Raise HostError when they still get what they got before."""
        with self._turn:
            if self._thread is None:
                self._begin(records)
            dead = None
            for _ in range(2):
                child = self._await_ready(patience, dead)
                if self._ask(child, records, min(patience, _ANSWER_SECONDS)):
                    return
                dead = child
        raise HostError("the metadata service died twice over the new records", f"report it; {_LOG}")

    def close(self) -> None:
        """The process goes on answering, if it has records; what guests have said so far is heard still."""
        with self._changed:
            self._closing = True
            child, predecessor = self._child, self._predecessor
            self._changed.notify_all()
        if predecessor is not None:
            predecessor.leave()
        if child is not None:
            child.leave()
        if self._thread is not None:
            self._thread.join()

    # For the caller's thread.

    def _begin(self, records: Mapping[str, Record]) -> None:
        """A process without records would answer 404, which guests believe: the first has these from its start."""
        self._records = records
        if self._predecessor is not None:
            self._predecessor.listen(self._report)
        self._thread = Thread(target=self._run, name="metadata", daemon=True)
        self._thread.start()

    def _await_ready(self, patience: float, dead: Child | None) -> Child:
        with self._changed:
            self._changed.wait_for(lambda: self._settled(dead), patience)
            if self._ready is None or self._ready is dead:
                why = f": {self._why}" if self._why else ""
                raise HostError(f"the metadata service does not run{why}", _LOG)
            return self._ready

    def _settled(self, dead: Child | None) -> bool:
        """Whether one answers, or the last one said why none will."""
        return self._ready not in (None, dead) or self._hopeless or self._closing

    def _ask(self, child: Child, records: Mapping[str, Record], patience: float) -> bool:
        """False when it died over it, or of something else just now: another one may be asked."""
        put = [record for uuid, record in records.items() if self._records.get(uuid) != record]
        drop = self._records.keys() - records.keys()
        with self._changed:
            self._number += 1
            self._proposed, self._answer = records, None
        try:
            child.order(put, drop, self._number)
        except OSError:
            self._give_up(child)
            return False
        with self._changed:
            self._changed.wait_for(lambda: self._answer is not None or self._ready is not child, patience)
            answer, alive = self._answer, self._ready is child
        if answer is None and alive:
            self._give_up(child)
            raise HostError("the metadata service did not answer in time", f"apply again; {_LOG}")
        if answer:
            raise HostError(f"the metadata service refused the new records: {answer}", "restart the agent")
        return answer is not None

    def _give_up(self, child: Child) -> None:
        """It may have half of the change: the next one gets what was before it."""
        with self._changed:
            self._number += 1
        child.kill()

    # In the supervising thread.

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closing:
            began = time.monotonic()
            try:
                self._live()
            except OSError as error:
                self._why = f"it cannot be started: {error.strerror}"
                log.error("the metadata service cannot be started: %s", error.strerror)
            pause = _FIRST_PAUSE if time.monotonic() - began > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
            with self._changed:
                self._changed.wait_for(lambda: self._closing, pause)

    def _live(self) -> None:
        """One process, from its start to its end, or to the agent's."""
        with closing(control.bind(self._folder)) as door:
            child = Child(self._listener, door, self._folder / "empty", self._limits)
        with self._changed:
            self._child = child
            if self._closing:
                child.leave()
        try:
            for message in child.lines():
                self._hear(child, message)
        except Exception as error:
            log.error("the metadata service was stopped: %s", mishap(error))
        finally:
            with self._changed:
                self._child = self._ready = None
                self._changed.notify_all()
        if self._closing:
            child.close()
        else:
            log.error("the metadata service ended (exit code %d); a new one is started. %s", child.end(), self._why)

    def _hear(self, child: Child, message: Mapping[str, object]) -> None:
        if "uuid" in message or "asked" in message:
            self._report(message)
        elif "ready" in message and self._ready is None:
            self._succeed()
            child.order(self._records.values(), (), 0)
        elif message.get("ack") == 0 and self._ready is None:
            with self._changed:
                self._ready, self._why, self._hopeless = child, "", False
                self._changed.notify_all()
        elif "fatal" in message:
            with self._changed:
                self._why, self._hopeless = ascii(str(message["fatal"])[:200]), True
                self._changed.notify_all()
        else:
            self._settle(message)

    def _succeed(self) -> None:
        """First the predecessor ends, then the next agent is sent to this one, then it gets its records: cut off
        anywhere, at most one process answers, and the next agent finds it. Guests wait in the socket's queue."""
        with self._changed:
            predecessor, self._predecessor = self._predecessor, None
        if predecessor is not None:
            predecessor.end()
        control.publish(self._folder)

    def _settle(self, message: Mapping[str, object]) -> None:
        """An answer to another change than the last is an answer to one that was given up."""
        with self._changed:
            if message.get("ack") == self._number:
                self._records, self._answer = self._with_passwords(self._proposed), ""
            elif message.get("refused") == self._number:
                self._answer = ascii(str(message.get("why", ""))[:200]) or "for no reason"
            self._changed.notify_all()

    def _with_passwords(self, records: Mapping[str, Record]) -> Mapping[str, Record]:
        """`records` may have been made before a guest posted its password."""
        posted = {uuid: old.password for uuid, old in self._records.items() if old.password}
        return {
            uuid: replace(record, password=posted[uuid]) if uuid in posted and not record.password else record
            for uuid, record in records.items()
        }

    def _report(self, message: Mapping[str, object]) -> None:
        try:
            if "asked" in message:
                self._on_asked(tally.from_json(message["asked"]))
                return
            uuid, report = from_json(message)
        except ValueError:
            return
        with self._changed:
            record = self._records.get(uuid)
            if record is None:
                return
            if isinstance(report, Password):
                self._records = {**self._records, uuid: replace(record, password=record.password or report.data)}
        self._on_report(uuid, report)
