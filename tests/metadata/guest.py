"""A guest on loopback: a client that comes from an address of its own choice, and reads answers until they end."""

import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.effort import PATIENCE

"""Seconds after which a test fails instead of hanging; no test passes by waiting."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Guest:
    def __init__(self, source: str, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0))
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def ask(self, path: str, method: str = "GET", body: bytes = b"") -> Answer:
        self.send(f"{method} {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        return self.answer()

    def answer(self) -> Answer:
        head = self._until(b"\r\n\r\n").decode()
        status, *lines = head.split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers["Content-Length"])
        while len(self._buffer) < length:
            self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Answer(int(status.split()[1]), headers, body)

    def hung_up(self) -> bool:
        """Wait until the service has closed; what it said before does not count."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            return True
        return True

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(mark)
        return head

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the service closed the connection")
        self._buffer += data


def ask(source: str, port: int, path: str, method: str = "GET", body: bytes = b"") -> Answer:
    """One request on a connection of its own."""
    with Guest(source, port) as guest:
        return guest.ask(path, method, body)
