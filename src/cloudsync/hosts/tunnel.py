"""One ssh connection to a host: it forwards the sockets of the agent and of libvirt there to a private folder here.

It ends with `close`, and with this process however that ends. Called by host.py and by `cloudsync ssh`.
"""

import shlex
import subprocess
from pathlib import Path
from threading import Lock

from cloudsync.hosts.line import Line, environment
from cloudsync.hosts.room import Room
from cloudsync.hosts.ssh_error import explained, unusable
from cloudsync.model.cloud import Host
from cloudsync.model.problem import HostError
from cloudsync.spec.remote import Remote, remote

_CONNECT = 4
"""Seconds for TCP, banner and key exchange: a host has 5 to say what is there, and ssh's own reason shall be heard."""

_GREETING = 0.05
"""Seconds at most until the server has told its keys; only OpenSSH's does. ssh leaves Nagle's algorithm on: unless
something is sent to the server after that, all that it says next waits for an acknowledgment, for 40 ms."""

_READY = "cloudsync-ready"
_ALWAYS = (
    *("-v", "-N", "-M", "-T", "-a", "-x", "-e", "none"),
    *("-o", "BatchMode=yes", "-o", "ControlPersist=no", "-o", f"ConnectTimeout={_CONNECT}"),
    *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3", "-o", "StreamLocalBindUnlink=yes"),
    *("-o", "ExitOnForwardFailure=no", "-o", "PermitLocalCommand=yes", "-o", f"LocalCommand=echo {_READY}"),
    *("-o", "RemoteCommand=none"),
)
_LOOK = 'd="${0%/*}"; n="${0##*/}"; if test -d "$d" && ! test -x "$d"; then echo refused; '
_LOOK += 'elif ! test -e "$0"; then echo missing; elif ! test -w "$0"; then echo refused; '
# A socket that came by a rename is listed by its first name, which for the agent's is .NAME.PROCESS.
_LOOK += r'elif grep -q " $d/[.]\{0,1\}$n[.0-9]*\$" /proc/net/unix; then echo open; else echo silent; fi'


class Tunnel:
    """`sockets` are those to be forwarded. Opened when first needed, and again when it has broken, until it is closed:
    a question that was given up may still be about to use it."""

    def __init__(self, name: str, remote: Remote, sockets: tuple[str, ...]) -> None:
        self.name = name
        self.remote = remote
        self._sockets = sockets
        self._lock = Lock()
        self._room: Room | None = None
        self._line: Line | None = None
        self._closed = False

    def socket(self, there: str) -> Path:
        """Where the host's socket `there` is here; HostError with ssh's own reason when the host cannot be reached."""
        with self._lock:
            line = self._line
            if line is None or line.ended.is_set():
                self._room = self._room or self._opened()
                line = self._line = Line(self._command(), _READY)
        line.settled.wait()
        if there == self._sockets[0]:  # libvirt, whose connection acknowledged what came before, is asked meanwhile
            line.greeted.wait(_GREETING)
        if line.ended.is_set():
            raise explained(self.name, self.remote, line.said)
        return self._at(there)

    def trouble(self, there: str) -> HostError:
        """Why the forwarded socket `there` does not answer, looked at through the same connection."""
        line = self._line
        if line is None or line.ended.is_set():
            return explained(self.name, self.remote, line.said if line else ())
        return unusable(self.name, self.remote, there, self._look(there), line.said)

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
        return (*ssh, "--", self.remote.host)

    def _look(self, there: str) -> str:
        """One word; a shell that greets whoever comes says others before it."""
        look = f"sh -c '{_LOOK}' {there}"
        quiet = ("-T", "-o", "LogLevel=ERROR", "-o", "RemoteCommand=none")
        command = (*self._via(), *quiet, "--", self.remote.host, look)
        try:
            found = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=_CONNECT, env=environment()
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return (found.stdout.split() or [""])[-1]


def tunnel(wanted: Host, agent: str) -> Tunnel | None:
    """To a host on another machine, whose agent listens at `agent`; None for this one."""
    there = remote(wanted.uri, wanted.ssh)
    return Tunnel(wanted.name, there, (agent, *there.sockets)) if there else None
