"""A simulated host: its state in one file, or in memory, refusing what real hosts refuse.

For trying a spec without a hypervisor, for tests of laws, and for scale; never a proof that the real thing works.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from threading import RLock
from typing import TextIO

from cloudsync.apply.driver import Blobs, Driver, Progress
from cloudsync.hosts.back import not_back, not_running
from cloudsync.hosts.claim import foreign
from cloudsync.hosts.journal import SimJournal
from cloudsync.hosts.sim_state import SimState, counted, free, perform, received, sent
from cloudsync.hosts.user_data import filled
from cloudsync.model import wire
from cloudsync.model.checkup import Check, Verdict
from cloudsync.model.denial import Denial, unlogged
from cloudsync.model.problem import HostError, LockedError
from cloudsync.model.resources import Power
from cloudsync.model.ruling import Ruling
from cloudsync.model.snapshot import Boot, HostState, HostStatus, Usage
from cloudsync.model.step import AwaitInstance, MoveInstance, PutDocument, PutImage, Step
from cloudsync.reach.question import Question
from cloudsync.spec.uri import simulated


class SimHost:
    """`uri` is `sim:?vcpus=16&memory=64GiB&disk=1TiB&arch=x86_64&path=FILE`, each part optional.

    The state lives in `.cloudsync/sim/NAME.json` under `base`, or in memory when `base` is None.
    Without `cloud`, the host is anybody's.
    """

    def __init__(self, name: str, uri: str, base: Path | None, cloud: str | None = None) -> None:
        given = simulated(uri)
        self.name = name
        self.arch = given.arch
        self.capacity = Usage(vcpus=given.vcpus, memory=given.memory, disk=given.disk)
        file = given.file(name)
        self.path = base / file if base else Path(file) if given.path else None
        self._cloud = cloud
        self._memory = SimState()
        beside = self.path.with_name(f"{self.path.name}.journal") if self.path else None
        self._journal = SimJournal(beside, cloud or "")
        self._mutex = RLock()

    @property
    def state(self) -> SimState:
        if self.path is None:
            return self._memory
        try:
            return wire.load(SimState, self.path.read_bytes())
        except FileNotFoundError:
            return SimState()
        except OSError as error:
            raise self._refused(error) from None
        except ValueError:
            raise HostError(f"{self.path} is not a simulated host's state", f"remove it: rm {self.path}") from None

    @state.setter
    def state(self, state: SimState) -> None:
        if self.path is None:
            self._memory = state
            return
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            _make_folder(self.path.parent)
            # User-data is part of the document.
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(wire.dump(state))
            fresh.replace(self.path)
        except OSError as error:
            raise self._refused(error) from None

    def observe(self) -> HostState:
        try:
            state = self.state
        except HostError as error:
            return HostState(name=self.name, status=HostStatus.UNREACHABLE, reason=error.message)
        if state.down:
            return HostState(name=self.name, status=HostStatus.UNREACHABLE, reason=state.down)
        document = replace(state.document, user_data={}) if state.document else None
        another = foreign(document, self._cloud, self.name) if self._cloud is not None else ""
        if another:
            return HostState(name=self.name, status=HostStatus.FOREIGN, reason=another)
        sizes = {one: disk.size for one, disk in state.data.items()}
        return HostState(
            name=self.name,
            status=HostStatus.READY,
            arch=self.arch,
            capacity=self.capacity,
            foreign=Usage(
                vcpus=sum(other.vcpus for other in state.foreign),
                memory=sum(other.memory for other in state.foreign),
                disk=sum(other.disk for other in state.foreign),
            ),
            foreign_names=frozenset(other.name for other in state.foreign),
            document=document,
            machines={uuid: machine.sized(sizes) for uuid, machine in state.machines.items()},
            images=state.images,
            free=free(state, self.capacity),
            disks=frozenset(state.disks),
            data=sizes,
            runs=state.runs,
            boots={uuid: Boot(uuid=uuid, grows=True) for uuid in state.started}
            | {boot.uuid: boot for boot in _boots(state)},
            applied=self._journal.latest(),
            cut_off=self._journal.cut_off(),
        )

    def runs(self) -> Mapping[str, int]:
        return dict(self.state.runs)

    def perform(self, step: Step, blobs: Blobs, progress: Progress) -> None:
        if isinstance(step, PutImage):
            progress("simulated")
        with self._mutex:
            state = self.state
            if state.down:
                raise HostError(f"{self.name}: {state.down}", "bring it back, then plan again")
            if isinstance(step, PutDocument):
                step = replace(step, document=filled(step.document, blobs, state.document))
            self.state = counted(state, perform(state, step, self.capacity), step)

    def receive(self, step: MoveInstance, source: Driver, progress: Progress, stop: Flag) -> None:  # noqa: ARG002
        if not isinstance(source, SimHost):
            raise HostError(f"{self.name} is simulated and {source.name} is not", "move between hosts of one kind")
        progress("simulated")
        first, second = sorted((self, source), key=lambda host: host.name)
        # Steps of the source go on meanwhile; moves may cross.
        with first._mutex, second._mutex:
            state = received(self.state, source.state, step, self.capacity)
            source.state = counted(source.state, sent(source.state, step), step)
            self.state = counted(self.state, state, step)

    def wait_back(self, step: AwaitInstance, progress: Progress, stop: Flag) -> None:  # noqa: ARG002
        """At once, or never."""
        state = self.state
        if state.down:
            raise HostError(f"{self.name}: {state.down}", "bring it back, then plan again")
        machine = state.machines.get(step.uuid)
        if machine is None or machine.power is not Power.RUNNING:
            raise not_running(self.name, step)
        if machine.name in state.silent:
            raise not_back(self.name, step)

    @contextmanager
    def lock(self, who: str, lost: Callable[[], None] = lambda: None) -> Iterator[None]:  # noqa: ARG002
        """The kernel keeps it: it is never lost."""
        if self.path is None:
            with self._mutex:
                yield
            return
        with self._lock_file(self.path) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise LockedError(f"{self.name}: an apply is running: {file.read()}", "wait for it to end") from None
            file.truncate(0)
            file.write(f"{who} since {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
            file.flush()
            yield

    def _lock_file(self, path: Path) -> TextIO:
        try:
            _make_folder(path.parent)
            return path.with_name(path.name + ".lock").open("a+")
        except OSError as error:
            raise self._refused(error) from None

    def _refused(self, error: OSError) -> HostError:
        reason = (error.strerror or "no reason given").lower()
        return HostError(f"the state file {self.path}: {reason}", f"write another path= in the URI of host {self.name}")

    def wait_booted(self, names: Mapping[str, str], seen: Callable[[Boot], None], timeout: float) -> None:
        booted = {boot.uuid: boot for boot in _boots(self.state)}
        missing = sorted(names[uuid] for uuid in names.keys() - booted.keys())
        if missing:
            raise HostError(f"{self.name}: {', '.join(missing)} did not boot within {timeout:g} s", "start it")
        for uuid in sorted(names):
            seen(booted[uuid])

    def console_log(self, uuid: str) -> bytes:
        if uuid not in self.state.machines:
            raise HostError(f"{self.name}: {uuid} is not there", "apply first")
        return b"this machine is simulated\n"

    def denied(self, uuid: str) -> tuple[Denial, ...]:
        """No packets, no denials."""
        document = self.state.document
        here = document.instances.values() if document else ()
        one = next((one for one in here if one.uuid == uuid), None)
        if document is None or one is None:
            raise HostError(f"{self.name}: there is no such instance", "`cloudsync status` says where it is")
        silent = unlogged(one, document.groups)
        if silent:
            raise HostError(f"{self.name}: {silent.message}", silent.hint)
        return ()

    def follow_denied(self, uuid: str, seen: Callable[[Denial], None]) -> None:
        for denial in self.denied(uuid):
            seen(denial)
        raise HostError(f"{self.name} is simulated: no packets pass", "follow an instance of a real host")

    def checkup(self) -> tuple[Check, ...]:
        state = self.observe()
        verdict = Verdict.OK if state.reachable else Verdict.PROBLEM
        return (Check(name="simulated", verdict=verdict, message=state.reason or "there is nothing to look at"),)

    def rulings(self, asked: Question) -> tuple[Ruling, ...]:
        ends = f"{asked.source} → {asked.target}"
        raise HostError(f"{self.name} is simulated: it has no kernel to ask about {ends}", "leave out --live")

    def journal(self) -> SimJournal:
        state = self.state
        self._journal.generation, self._journal.down = state.document.generation if state.document else 0, state.down
        return self._journal

    def virsh(self) -> str:
        return ""

    def jump(self) -> str:
        """No guests."""
        return ""

    def close(self) -> None:
        """Nothing is held open."""


def _boots(state: SimState) -> list[Boot]:
    running = [machine for machine in state.machines.values() if machine.power is Power.RUNNING]
    told = [machine for machine in running if machine.name not in state.silent]
    return [Boot(uuid=machine.uuid, stage="modules-final", finished=True, grows=True) for machine in told]


def _make_folder(folder: Path) -> None:
    """The one of our own stays out of Git: what is there has user-data in it, and is nobody's history."""
    folder.mkdir(parents=True, exist_ok=True)
    ignored = folder.parent / ".gitignore"
    if folder.parent.name == ".cloudsync" and not ignored.exists():
        ignored.write_text("*\n", encoding="utf-8")
