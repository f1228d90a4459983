"""One life of the process, as the agent sees it: started with its sockets, orders down, lines up, left or ended."""

import json
import socket
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cloudsync.agent.metadata.limits import Limits
from cloudsync.agent.metadata.lines import lines
from cloudsync.agent.metadata.record import Record, to_json

_SEND_SECONDS = 10
_END_SECONDS = 1


class Child:
    def __init__(self, listener: socket.socket, control: socket.socket, empty: Path, limits: Limits) -> None:
        """Start it. `control` is bound: once it has records, it listens there for the next agent."""
        self._channel, theirs = socket.socketpair()
        self._channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SEND_SECONDS, 0))
        numbers = (listener.fileno(), theirs.fileno(), control.fileno())
        command = [sys.executable, "-I", "-m", "cloudsync.agent.metadata", *map(str, numbers), str(empty)]
        try:
            self._process = subprocess.Popen(
                [*command, json.dumps(asdict(limits))],
                pass_fds=numbers,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={"LC_ALL": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )
        except OSError:
            self._channel.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def lines(self) -> Iterator[dict[str, Any]]:
        """Until it ends, is left, or says what is not for the agent."""
        return lines(self._channel)

    def order(self, put: Iterable[Record], drop: Iterable[str], number: int) -> None:
        """Raise OSError when it does not read."""
        for record in put:
            self._send({"put": to_json(record)})
        for uuid in drop:
            self._send({"drop": uuid})
        self._send({"commit": number})

    def _send(self, order: dict[str, Any]) -> None:
        self._channel.sendall(json.dumps(order).encode() + b"\n")

    def leave(self) -> None:
        """It goes on by itself, if it has records; what it has said so far comes still. From any thread."""
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        """After it was left."""
        self._channel.close()

    def end(self) -> int:
        """Its exit code, after at most a few seconds."""
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        try:
            code = self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._channel.close()
        return code
