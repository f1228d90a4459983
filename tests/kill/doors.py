"""Where the program touches a host, as moments at which something can strike: whatever it asks of libvirt or an agent.

`watch` is called in a process of its own, in which the program runs next: its classes are wrapped there and nowhere
else. Each call that changes something has three moments: before it, while the other side has it in hand, and after it.
So has each step: before and after.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import libvirt

from cloudsync.hosts.host import Host
from cloudsync.hosts.unix_http import UnixConnection

T = TypeVar("T")

CHANGES = {
    libvirt.virConnect: ("defineXML", "storagePoolDefineXML"),
    libvirt.virDomain: (
        *("create", "destroy", "undefineFlags", "rename", "setAutostart", "shutdownFlags", "resume", "reset"),
        *("setMemoryFlags", "setVcpusFlags", "blockResize", "attachDeviceFlags", "detachDeviceFlags"),
        *("updateDeviceFlags", "setMetadata", "migrate3"),
    ),
    libvirt.virStoragePool: ("createXML", "create", "setAutostart"),
    libvirt.virStorageVol: ("delete", "resize", "upload", "download"),
    libvirt.virStream: ("send", "finish"),
}
DEAF = "shutdownFlags"
"""A guest without a system does not listen to the power button: here it goes off at once, as one that does."""
_POLLS = frozenset({"7", "271", "73"})
"""Numbers of the calls in which a thread waits for an answer, poll and ppoll of two architectures."""


class Moments:
    """Counts them, writes each down in `log`, and calls `strike` at number `at`, or at the first that begins with that
    word; 0 is none."""

    def __init__(self, log: Path, at: int | str, strike: Callable[[], None]) -> None:
        self._log, self._at, self._strike = log.open("w"), at, strike
        self._count = 0
        self._lock = threading.RLock()

    def come(self, what: str) -> None:
        if self._is_now(what):
            self._strike()

    def around(self, what: str, call: Callable[[], T]) -> T:
        self.come(f"before {what}")
        found = self._in_hand(call) if self._is_now(f"during {what}") else call()
        self.come(f"after {what}")
        return found

    def _is_now(self, what: str) -> bool:
        with self._lock:
            self._count += 1
            print(what, file=self._log, flush=True)
            if isinstance(self._at, str) and what.startswith(self._at):
                self._at = self._count
            return self._count == self._at

    def _in_hand(self, call: Callable[[], T]) -> T:
        """Strike when the call waits for its answer, or has it already."""
        found: list[T] = []
        failed: list[BaseException] = []
        begun = threading.Event()

        def run() -> None:
            begun.set()
            try:
                found.append(call())
            except BaseException as error:
                failed.append(error)

        caller = threading.Thread(target=run, daemon=True)
        caller.start()
        begun.wait()
        while caller.is_alive() and not _waits(caller.native_id or 0):
            caller.join(0.0005)
        self._strike()
        caller.join()
        if failed:
            raise failed[0]
        return found[0]


def _waits(thread: int) -> bool:
    try:
        return Path(f"/proc/self/task/{thread}/syscall").read_text().split()[0] in _POLLS
    except OSError:
        return False


def watch(moments: Moments) -> None:
    for kind, names in CHANGES.items():
        for name in names:
            _wrap(kind, name, moments)
    _wrap_agent(moments)
    _wrap_steps(moments)


def _wrap(kind: type[Any], name: str, moments: Moments) -> None:
    call = getattr(kind, name)

    def wrapped(self: Any, *words: Any) -> Any:
        answer = moments.around(f"{kind.__name__}.{name}", lambda: call(self, *words))
        if name == DEAF and self.isActive():
            self.destroy()
        return answer

    setattr(kind, name, wrapped)


def _wrap_agent(moments: Moments) -> None:
    request, answered = UnixConnection.request, UnixConnection.getresponse
    asked: dict[int, str] = {}

    def ask(self: UnixConnection, method: str, target: str, *words: Any, **more: Any) -> None:
        if method != "GET":
            asked[id(self)] = f"{method} {target.partition('?')[0]}"
            moments.come(f"before {asked[id(self)]}")
        request(self, method, target, *words, **more)

    def answer(self: UnixConnection) -> Any:
        what = asked.pop(id(self), "")
        if what:
            moments.come(f"during {what}")
        found = answered(self)
        if what:
            moments.come(f"after {what}")
        return found

    for name, call in (("request", ask), ("getresponse", answer)):
        setattr(UnixConnection, name, call)


def _wrap_steps(moments: Moments) -> None:
    for name in ("perform", "receive"):
        _wrap_step(name, getattr(Host, name), moments)


def _wrap_step(name: str, call: Callable[..., None], moments: Moments) -> None:
    def wrapped(self: Host, step: Any, *words: Any) -> None:
        moments.come(f"step {step.id}")
        call(self, step, *words)
        moments.come(f"done {step.id}")

    setattr(Host, name, wrapped)
