"""A lock that a host gives away unless it is told now and then that it is still wanted. Called by agent_client.py."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

from cloudsync.hosts.unix_http import Absent
from cloudsync.model.problem import HostError


@contextmanager
def renewed(renew: Callable[[], object], lease: float, lost: Callable[[], None]) -> Iterator[None]:
    """Say several times a lease, of `lease` seconds, that it is still wanted. `lost` is called, from another thread,
    once it is over, or nothing was heard for one."""
    over = Event()

    def keep() -> None:
        heard = monotonic()
        while not over.wait(lease / 4):
            try:
                renew()
                heard = monotonic()
            except HostError as error:
                if isinstance(error, Absent) or monotonic() - heard > lease:
                    lost()
                    return

    Thread(target=keep, name="lock", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def once(tell: Callable[[], None]) -> Callable[[], None]:
    """Two threads notice."""
    told = Event()

    def first() -> None:
        if not told.is_set():
            told.set()
            tell()

    return first
