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
_ESCAPE = b"\x1b"
_MOST = 4096
_REST = {True: 1.0, False: 0.1}
"""Seconds in which the rest comes of what is no single key, after an escape and after anything else."""


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
    reader = Thread(target=listen, args=(where, over, heard), name="keys", daemon=True)
    tty.setcbreak(where)
    try:
        reader.start()
        yield
    finally:
        over.set()
        reader.join()
        with suppress(termios.error):
            termios.tcsetattr(where, termios.TCSADRAIN, before)


def listen(where: int, over: Event, heard: Callable[[str], None]) -> None:
    """Until it is `over`, or nothing more can come. A terminal sends arrows and Alt-keys as an escape with letters
    after it, and pasted text at once: neither was meant as a key of ours."""
    while not over.is_set():
        if not _ready(where, _GLANCE):
            continue
        data = os.read(where, _MOST)
        last = data
        while last and not over.is_set() and _ready(where, _REST[_ESCAPE in data]):
            last = os.read(where, _MOST)
            data = (data + last)[:_MOST]
        if len(data) == 1:
            heard(data.decode("ascii", "ignore"))
        if not last:
            return


def _ready(where: int, seconds: float) -> bool:
    return bool(select.select([where], [], [], seconds)[0])
