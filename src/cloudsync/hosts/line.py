"""A running ssh: whether it is up, when it has ended, and what it said. Called by tunnel.py."""

import os
import shutil
import subprocess
from collections import deque
from pathlib import Path
from threading import Event, Thread

_KEPT = 500
_KEYS = "rtype hostkeys-00@openssh.com"
_DRAINED = 0.5
"""Seconds that its last words may take. Another process may hold its stderr open for longer: a connection to a machine
on the way, where the person's ssh configuration keeps such (ControlPersist)."""


class Line:
    """`settled` once it has said `ready` or has ended; `greeted` once its server has told its keys, as OpenSSH's does
    unasked, or it has ended; `said` are its last lines.

    Its thread starts it and stays until it ends: the signal that ends it with its parent is sent when the thread that
    started it is gone.
    """

    def __init__(self, command: tuple[str, ...], ready: str) -> None:
        self.settled, self.greeted, self.ended, self._begun = Event(), Event(), Event(), Event()
        self._heard: deque[str] = deque(maxlen=_KEPT)
        self._command, self._ready = command, ready
        self._process: subprocess.Popen[bytes] | None = None
        Thread(target=self._run, name="ssh", daemon=True).start()

    @property
    def said(self) -> tuple[str, ...]:
        return tuple(self._heard)

    def end(self) -> None:
        self._begun.wait()
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()

    def _run(self) -> None:
        try:
            # Away from the terminal: Ctrl-C is for the steps that run, and nobody is asked for a password.
            self._process = subprocess.Popen(
                (*_bound(), *self._command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment(),
            )
        except OSError as error:
            self._heard.append(f"{self._command[0]}: {error.strerror}")
        self._begun.set()
        if self._process is not None:
            listener = Thread(target=self._listen, args=(self._process,), name="ssh said", daemon=True)
            listener.start()
            self._process.wait()
            listener.join(_DRAINED)
        for event in (self.ended, self.settled, self.greeted):
            event.set()

    def _listen(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None  # noqa: S101
        with process.stdout as lines:
            for line in lines:
                text = line.decode(errors="replace").strip()
                if text == self._ready:
                    self.settled.set()
                else:
                    self._heard.append(text)
                    if self.settled.is_set() and _KEYS in text:
                        self.greeted.set()


def environment() -> dict[str, str]:
    """What ssh is started with. It runs commands of its configuration by $SHELL, which runs nothing for a user who may
    not log in, as `sudo -u` has it; and to a machine on the way it is not told that nobody is there to be asked."""
    found = {**os.environ, "SSH_ASKPASS_REQUIRE": "never"}
    if Path(found.get("SHELL", "")).name in ("nologin", "false"):
        found["SHELL"] = "/bin/sh"
    return found


def _bound() -> tuple[str, ...]:
    """What makes the kernel end ssh when this process is gone, even when it was killed."""
    program = shutil.which("setpriv")
    return (program, "--pdeathsig", "TERM", "--") if program else ()
