"""One ssh connection to a host: it forwards the sockets of the agent and of libvirt there to a private folder here.

It ends with `close`, and with this process however that ends. Called by host.py and by `cloudsync ssh`.
"""

import shlex
import shutil
import subprocess
from collections import deque
from pathlib import Path
from threading import Event, Lock, Thread

from cloudsync.hosts.room import Room
from cloudsync.hosts.ssh_error import explained, unusable
from cloudsync.model.problem import HostError
from cloudsync.spec.remote import Remote

_CONNECT = 4
"""Seconds for TCP, banner and key exchange: a host has 5 to say what is there, and ssh's own reason shall be heard."""

_READY = "cloudsync-ready"
_KEPT = 200
_ALWAYS = (
    *("-v", "-N", "-M", "-T", "-a", "-x", "-e", "none"),
    *("-o", "BatchMode=yes", "-o", "ControlPersist=no", "-o", f"ConnectTimeout={_CONNECT}"),
    *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3", "-o", "StreamLocalBindUnlink=yes"),
    *("-o", "ExitOnForwardFailure=no", "-o", "PermitLocalCommand=yes", "-o", f"LocalCommand=echo {_READY}"),
)
_LOOK = 'd="${0%/*}"; if test -d "$d" && ! test -x "$d"; then echo refused; elif ! test -e "$0"; then echo missing; '
_LOOK += 'elif ! test -w "$0"; then echo refused; else echo silent; fi'


class Tunnel:
    """`sockets` are those to be forwarded. Opened when first needed, and again when it has broken, until it is closed:
    a question that was given up may still be about to use it."""

    def __init__(self, name: str, remote: Remote, sockets: tuple[str, ...]) -> None:
        self.name = name
        self.remote = remote
        self._sockets = sockets
        self._lock = Lock()
        self._room: Room | None = None
        self._line: _Line | None = None
        self._closed = False

    def socket(self, there: str) -> Path:
        """Where the host's socket `there` is here; HostError with ssh's own reason when the host cannot be reached."""
        with self._lock:
            line = self._line
            if line is None or line.ended.is_set():
                self._room = self._room or self._opened()
                line = self._line = _Line(self._command())
        line.settled.wait()
        if line.ended.is_set():
            raise explained(self.name, self.remote, line.said)
        return self._at(there)

    def trouble(self, there: str) -> HostError:
        """Why the forwarded socket `there` does not answer, looked at through the same connection."""
        line = self._line
        if line is None or line.ended.is_set():
            return explained(self.name, self.remote, line.said if line else ())
        return unusable(self.name, self.remote, there, self._look(there))

    def proxy(self) -> str:
        """A ProxyCommand through this connection, to what its host reaches."""
        self.socket(self._sockets[0])
        return (
            " ".join(shlex.quote(word).replace("%", "%%") for word in self._via()) + f" -W [%h]:%p {self.remote.host}"
        )

    def _via(self) -> tuple[str, ...]:
        """The start of a command line of ssh that goes through this connection."""
        return (self.remote.program, "-S", str(self._at("control")), "-o", "BatchMode=yes", "-a", "-x")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            line, self._line = self._line, None
            if line is not None:
                line.end()
            if self._room is not None:
                self._room.leave()
                self._room = None

    def _opened(self) -> Room:
        if self._closed:
            raise self._over()
        return Room()

    def _over(self) -> HostError:
        return HostError(f"host {self.name}: ssh {self.remote.where}: this command has closed it", "run it again")

    def _at(self, there: str) -> Path:
        room = self._room
        if room is None:
            raise self._over()
        name = "c" if there == "control" else str(self._sockets.index(there))
        return room.path / name

    def _command(self) -> tuple[str, ...]:
        forwards = [part for there in self._sockets for part in ("-L", f"{self._at(there)}:{there}")]
        control = ("-S", str(self._at("control")))
        ssh = (self.remote.program, *_ALWAYS, *control, *self.remote.arguments, *forwards)
        return (*_bound(), *ssh, "--", self.remote.host)

    def _look(self, there: str) -> str:
        look = f"sh -c '{_LOOK}' {there}"
        command = (*self._via(), "-o", "LogLevel=ERROR", "--", self.remote.host, look)
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=_CONNECT, check=False).stdout.strip()
        except (OSError, subprocess.TimeoutExpired):
            return ""


class _Line:
    """A running ssh. `settled` once it is up or has ended; `said` are its last lines.

    Its thread starts it and stays until it ends: the signal that ends it with its parent is sent when the thread that
    started it is gone.
    """

    def __init__(self, command: tuple[str, ...]) -> None:
        self.settled, self.ended, self._begun = Event(), Event(), Event()
        self.said: deque[str] = deque(maxlen=_KEPT)
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        Thread(target=self._run, name="ssh", daemon=True).start()

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
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self.said.append(f"{self._command[0]}: {error.strerror}")
        self._begun.set()
        if self._process is not None:
            self._listen(self._process)
        self.ended.set()
        self.settled.set()

    def _listen(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None  # noqa: S101
        with process.stdout as lines:
            for line in lines:
                text = line.decode(errors="replace").strip()
                if text == _READY:
                    self.settled.set()
                else:
                    self.said.append(text)
        process.wait()


def _bound() -> tuple[str, ...]:
    """What makes the kernel end ssh when this process is gone, even when it was killed."""
    program = shutil.which("setpriv")
    return (program, "--pdeathsig", "TERM", "--") if program else ()
