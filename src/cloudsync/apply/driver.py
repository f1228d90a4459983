"""The only way to touch a host. One real implementation, one simulated; contract tests run on both."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from threading import Event as Flag
from typing import TYPE_CHECKING, Protocol

from cloudsync.model.snapshot import Boot, HostState
from cloudsync.model.step import AwaitInstance, MoveInstance, Step

if TYPE_CHECKING:
    from cloudsync.model.checkup import Check
    from cloudsync.model.denial import Denial
    from cloudsync.model.journal import Entry, Line
    from cloudsync.model.ruling import Ruling
    from cloudsync.reach.question import Question

Blobs = Mapping[str, bytes]
"""User-data by SHA-256: read from the spec again at apply, never part of a plan."""

Progress = Callable[[str], None]
"""Called with a short text while a long step runs."""


class Journal(Protocol):
    """What a host has written down of the applies of a cloud."""

    def note(self, record: "Line") -> None:
        """Write down that an apply begins or has ended; it is on the host's disk when this returns. HostError when it
        is not: an older agent keeps none."""

    def applies(self, limit: int) -> "tuple[Entry, ...]":
        """The last ones, oldest first. HostError when the host cannot be asked."""


class Driver(Protocol):
    """A host. Calls may come from several threads at once."""

    name: str

    def observe(self) -> HostState:
        """What is there now. Never raises for a host that is down: says `unreachable` and why."""

    def runs(self) -> Mapping[str, int]:
        """By uuid, the number of the process that each machine runs in: another one after every start. HostError when
        nobody answers."""

    def perform(self, step: Step, blobs: Blobs, progress: Progress) -> None:
        """Carry out one step; repeatable. Raises HostError with what went wrong and the fix."""

    def receive(self, step: MoveInstance, source: "Driver", progress: Progress, stop: Flag) -> None:
        """Have a machine come from `source`; repeatable. When it fails, or `stop` is set before it is over, HostError,
        and the machine is on the source as it was."""

    def wait_back(self, step: AwaitInstance, progress: Progress, stop: Flag) -> None:
        """Until a machine is back since it was started. HostError when it is not in time, cannot be any more, or `stop`
        is set before."""

    def lock(self, who: str, lost: Callable[[], None] = lambda: None) -> AbstractContextManager[None]:
        """Hold the host's apply lock; LockedError names the holder and since when.

        `lost` is called, from another thread, when the host gives the lock away before the block ends.
        """

    def wait_booted(self, names: Mapping[str, str], seen: Callable[[Boot], None], timeout: float) -> None:
        """Report each new Boot of the instances, `names` by uuid, to `seen` until all are finished.

        HostError after `timeout` seconds names the rest.
        """

    def console_log(self, uuid: str) -> bytes:
        """What the machine wrote to its serial port since it was made, oldest first."""

    def denied(self, uuid: str) -> "tuple[Denial, ...]":
        """What its security groups denied lately, the latest last. HostError when none of them logs it."""

    def follow_denied(self, uuid: str, seen: "Callable[[Denial], None]") -> None:
        """Report each denial from now on, until interrupted; HostError when the host stops telling."""

    def checkup(self) -> "tuple[Check, ...]":
        """What is right and wrong between here and the host and on it, in the order in which to mend it. Never raises
        for a host that is down: says so."""

    def rulings(self, asked: "Question") -> "tuple[Ruling, ...]":
        """What the kernel's rules do with packets, one for each service. HostError where there is no kernel."""

    def journal(self) -> Journal:
        """Of this cloud's applies."""

    def jump(self) -> str:
        """ssh's ProxyCommand for guests there, good until `close`; empty where their addresses lead from here."""

    def virsh(self) -> str:
        """The URI by which virsh reaches its libvirt until `close`; empty where there is none."""

    def close(self) -> None: ...
