"""HTTP over a Unix socket with the standard library, and its failures as errors a person can act on.

The only module on the controller's side that imports socket. Called by agent_client.py.
"""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

from cloudsync.hosts.program import as_root
from cloudsync.hosts.way import Way
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import CloudsyncError, HostError, LockedError, StaleError

_CONNECT = 10.0
_RESTART, _STARTING, _GLANCE = 1.0, 4.0, 0.05
"""Seconds that an agent may be gone while it is restarted, and, when it says that it is starting, may take for that."""


class Silent(HostError):
    """Nothing came for as long as was waited."""


class Absent(HostError):
    """There is nothing there: it is not known, or not to an agent of that version."""


_ERRORS: dict[int, type[CloudsyncError]] = {404: Absent, 412: StaleError, 423: LockedError}


class UnixConnection(HTTPConnection):
    """`timeout` is in seconds, for each wait on the socket.

    `line` stays when the server announces that it will close: http.client drops `sock` then, while lines still come.
    """

    line: socket.socket

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = self.line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_CONNECT)
        self.sock.connect(str(self._path))
        self.sock.settimeout(self.timeout)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The agent of `host`, at a socket on this machine; with a `way`, at `path` on the host where that leads."""

    path: Path
    host: str
    way: Way | None = None

    def send(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None, *, wait: float
    ) -> "Answer":
        """A good answer, to be read and closed by the caller; `wait` is how long silence may last, in seconds."""
        connection = UnixConnection(self.way.socket(str(self.path)) if self.way else self.path, wait)
        try:
            with self.told(wait):
                self._connected(connection)
                connection.request(method, target, body, {"content-type": "application/json"} | (headers or {}))
                response = connection.getresponse()
                if response.status >= 300:
                    raise self._refused(response)
        except BaseException:
            connection.close()
            raise
        return Answer(self, connection, response)

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None, *, wait: float
    ) -> bytes:
        """The whole answer."""
        with closing(self.send(method, target, body, headers, wait=wait)) as answer:
            return answer.read(wait)

    def _connected(self, connection: UnixConnection) -> None:
        """Once more and again while the agent may be about to listen; nothing has been sent yet."""
        began = monotonic()
        while True:
            try:
                connection.connect()
                return
            except (FileNotFoundError, ConnectionRefusedError):
                connection.close()
                if monotonic() - began > (_STARTING if self._starting() else _RESTART):
                    raise
                sleep(_GLANCE)

    def _starting(self) -> bool:
        """Whether a living agent of this machine says so: see agent/listen.py."""
        if self.way:
            return False
        try:
            return Path(f"/proc/{int(self.path.with_name(f'{self.path.name}.starting').read_text())}").exists()
        except (OSError, ValueError):
            return False

    def _refused(self, response: HTTPResponse) -> CloudsyncError:
        """What the agent says; an answer in another shape is from something that is not our agent."""
        kind = _ERRORS.get(response.status, HostError)
        try:
            answer = json.loads(response.read())
            return kind(f"{self.host}: {answer['message']}", str(answer["hint"]))
        except (ValueError, KeyError, TypeError):
            return HostError(
                f"{self.host}: what listens at {self.path} answers {response.status} and is not a cloudsync agent",
                "does the socket's path belong to another program?",
            )

    @contextmanager
    def told(self, wait: float) -> Iterator[None]:
        """Failures of the socket inside the block, as HostError."""
        try:
            yield
        except (ConnectionError, FileNotFoundError, HTTPException) as error:
            raise self._unanswered(error) from error
        except PermissionError as error:
            raise HostError(
                f"the agent on {self.host} may not be used by you: {self.path} refuses",
                "add yourself to the group: `sudo usermod -aG cloudsync $USER`, then log in again",
            ) from error
        except TimeoutError as error:
            raise Silent(
                f"the agent on {self.host} did not answer for {wait:g} s",
                "is the machine or the line overloaded? see `journalctl -u cloudsync-agent` there",
            ) from error
        except OSError as error:
            raise self._broke_off(error) from error

    def _unanswered(self, error: OSError | HTTPException) -> HostError:
        """Nobody listens, or what listens hung up."""
        if self.way:
            return self.way.trouble(str(self.path))
        if isinstance(error, FileNotFoundError | ConnectionRefusedError):
            if self._starting():
                return HostError(f"the agent on {self.host} is still starting", "try again; its log says what it does")
            return HostError(
                f"the agent on {self.host} does not answer at {self.path}",
                f"start it there: `{as_root('agent')}` (or `sudo systemctl start cloudsync-agent`)",
            )
        return self._broke_off(error)

    def _broke_off(self, error: OSError | HTTPException) -> HostError:
        return HostError(
            f"the agent on {self.host} broke the connection off ({type(error).__name__})",
            "did it stop? see `journalctl -u cloudsync-agent` there",
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that may still be coming."""

    endpoint: Endpoint
    connection: UnixConnection
    response: HTTPResponse

    def read(self, wait: float) -> bytes:
        """All of it."""
        with self.endpoint.told(wait):
            return self.response.read()

    def line(self, wait: float) -> bytes:
        """The next line; empty at the end. HostError when none comes for `wait` seconds, or the agent broke off."""
        with self.endpoint.told(wait):
            self.connection.line.settimeout(wait)
            return self.response.readline()

    @contextmanager
    def kept(self, wait: float, ended: Callable[[], None]) -> Iterator[None]:
        """Keep the connection during the block. When the agent ends it first, or says nothing for `wait` seconds,
        `ended` is called from another thread. After the block the agent has let go of what it held for us."""
        over = Event()
        watch = Thread(target=self._watch, args=(wait, over, ended), name="connection", daemon=True)
        watch.start()
        try:
            yield
        finally:
            over.set()
            with suppress(OSError):
                self.connection.line.shutdown(socket.SHUT_WR)
            watch.join()
            self.close()

    def _watch(self, wait: float, over: Event, ended: Callable[[], None]) -> None:
        self.connection.line.settimeout(wait)
        with suppress(OSError):
            while self.connection.line.recv(4096):
                continue
        if not over.is_set():
            ended()

    def hang_up(self) -> None:
        """From another thread: whoever waits for a line gets none."""
        with suppress(OSError):
            self.connection.line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.response.close()
        self.connection.close()
