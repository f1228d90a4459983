"""One life of the process, as the agent sees it: started with both sockets, orders down, lines up, ended for sure."""

import json
import socket
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cloudsync.agent.metadata.limits import Limits
from cloudsync.agent.metadata.record import Record, to_json

_LONGEST = 64 << 10
"""Bytes of one line from the process; the longest that it has reason to send is a few KiB."""
_SEND_SECONDS = 10
_END_SECONDS = 5


class Child:
    def __init__(self, listener: socket.socket, empty: Path, limits: Limits) -> None:
        """Start it. It is bound to the calling thread: when that ends, the kernel kills it."""
        self._channel, theirs = socket.socketpair()
        self._channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SEND_SECONDS, 0))
        numbers = (listener.fileno(), theirs.fileno())
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
        """Until it ends, or says what is not a JSON object in a line: then it is no longer the one that was started."""
        with self._channel.makefile("rb") as reader:
            while True:
                try:
                    line = reader.readline(_LONGEST)
                    message = json.loads(line) if line.endswith(b"\n") else None
                except (OSError, ValueError, RecursionError):
                    return
                if not isinstance(message, dict):
                    return
                yield message

    def order(self, put: Iterable[Record], drop: Iterable[str], number: int) -> None:
        """Raise OSError when it does not read."""
        for record in put:
            self._send({"put": to_json(record)})
        for uuid in drop:
            self._send({"drop": uuid})
        self._send({"commit": number})

    def _send(self, order: dict[str, Any]) -> None:
        self._channel.sendall(json.dumps(order).encode() + b"\n")

    def hang_up(self) -> None:
        """Its orders end, and so it ends. From any thread."""
        try:
            self._channel.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> int:
        """Its exit code, after at most a few seconds."""
        self.hang_up()
        try:
            code = self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._channel.close()
        return code
