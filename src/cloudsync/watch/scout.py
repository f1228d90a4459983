"""Whether a host that did not answer answers again, asked by a thread of its own: no round waits for it. round.py
begins it."""

from collections.abc import Callable, Iterable
from threading import Event, Lock, Thread

from cloudsync.hosts.fleet import Fleet
from cloudsync.model.snapshot import HostStatus
from cloudsync.watch.backoff import backoff
from cloudsync.watch.trigger import Reason, Tell, Trigger


class Scout:
    def __init__(self, fleet: Fleet, tell: Tell, chance: Callable[[], float], most: float) -> None:
        """`most` is how many seconds there may be between two questions."""
        self._fleet, self._tell, self._chance, self._most = fleet, tell, chance, most
        self._over = Event()
        self._lock = Lock()
        self._asked: set[str] = set()

    def seek(self, names: Iterable[str]) -> None:
        """Ask these until they answer."""
        with self._lock:
            fresh = set(names) - self._asked
            self._asked |= fresh
        for name in sorted(fresh):
            Thread(target=self._ask, args=(name,), name=f"scout {name}", daemon=True).start()

    def end(self) -> None:
        self._over.set()

    def _ask(self, name: str) -> None:
        tries = 1
        while not self._over.wait(backoff(tries, self._chance(), self._most)):
            if self._fleet.drivers[name].observe().status is not HostStatus.UNREACHABLE:
                with self._lock:
                    self._asked.discard(name)
                self._fleet.forget(name)
                self._tell(Trigger(Reason.RETRY, f"host.{name} answers again"))
                return
            tries += 1
