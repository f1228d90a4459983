"""Single keys from a terminal, for as long as a watch runs: no Enter, nothing shown. `watch` uses it."""

import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

_GLANCE = 0.5
"""Seconds."""


def typed_here() -> bool:
    """Whether somebody can type."""
    return sys.stdin is not None and sys.stdin.isatty()


@contextmanager
def pressed(heard: Callable[[str], None]) -> Iterator[None]:
    """`heard` is called with each key, from another thread; Ctrl-C stays a signal."""
    if not typed_here():
        yield
        return
    where = sys.stdin.fileno()
    before = termios.tcgetattr(where)
    over = Event()
    reader = Thread(target=_read, args=(where, over, heard), name="keys", daemon=True)
    tty.setcbreak(where)
    try:
        reader.start()
        yield
    finally:
        over.set()
        reader.join()
        with suppress(termios.error):
            termios.tcsetattr(where, termios.TCSADRAIN, before)


def _read(where: int, over: Event, heard: Callable[[str], None]) -> None:
    while not over.is_set():
        ready, _, _ = select.select([where], [], [], _GLANCE)
        data = os.read(where, 1) if ready else b" "
        if not data:
            return
        if ready:
            heard(data.decode("ascii", "ignore"))
