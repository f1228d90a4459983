"""The person's own program, started with words on its stdin (the only place of the watch that starts one).

No shell reads its arguments, and nothing of what it is told stands in them.
"""

import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from threading import Event as Flag
from time import monotonic

from cloudsync.model.problem import CloudsyncError
from cloudsync.spec.words import printable

SECONDS = 60

_GLANCE = 0.1
"""Seconds between two looks at whether it is over."""


class HookError(Exception):
    """It did not start, failed, or took too long."""


def words(command: str) -> tuple[str, ...]:
    """A command line as a person types it, without what a shell would make of it. CloudsyncError when it is none."""
    try:
        found = tuple(shlex.split(command))
    except ValueError as error:
        raise CloudsyncError(f"{printable(command)!r} is no command: {error}", "close the quotes") from None
    if not found:
        raise CloudsyncError("the command is empty", "name a program")
    return found


def run(command: Sequence[str], told: bytes, seconds: float = SECONDS, over: Flag | None = None) -> None:
    """Returns when it has ended well. After `seconds`, and once `over` is set, it is ended with all that it has
    started."""
    if over and over.is_set():
        raise HookError(f"the watch ended before {command[0]} was started")
    try:
        running = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise HookError(f"{command[0]}: {(error.strerror or 'it does not start').lower()}") from None
    with running:
        try:
            said = _said(running, command[0], told, seconds, over or Flag())
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            raise
    if running.returncode:
        last = printable(said.decode("utf-8", "replace").strip().rpartition("\n")[2][:200])
        raise HookError(f"{command[0]} ended with code {running.returncode}" + (f": {last}" if last else ""))


def _said(running: "subprocess.Popen[bytes]", name: str, told: bytes, seconds: float, over: Flag) -> bytes:
    """What it has said on its stderr once it has ended. HookError when it is to be ended."""
    deadline, left = monotonic() + seconds, [told]
    while True:
        try:
            return running.communicate(left.pop() if left else None, timeout=min(_GLANCE, seconds))[1]
        except subprocess.TimeoutExpired:
            if over.is_set():
                raise HookError(f"{name} had not ended when the watch did") from None
            if monotonic() >= deadline:
                raise HookError(f"{name} took more than {seconds:g} seconds") from None
