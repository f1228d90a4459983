"""A transport that sends at once what is written in one turn of the event loop: an answer's head with its body.

server.py gives it to uvicorn, which writes them apart. sshd sends each on in a packet of its own, and by Nagle's
algorithm, which it leaves on where it only forwards, the second waits until the first is acknowledged: for the 40 ms by
which Linux puts that off.
"""

import asyncio
from typing import Any


class Gathered(asyncio.Transport):
    """`under` is what it sends by."""

    def __init__(self, under: asyncio.Transport) -> None:
        super().__init__()
        self._under = under
        self._written: list[bytes | bytearray | memoryview] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._written:
            asyncio.get_running_loop().call_soon(self._flush)
        self._written.append(data)

    def _flush(self) -> None:
        if self._written:
            written, self._written = self._written, []
            self._under.write(b"".join(written))

    def close(self) -> None:
        self._flush()
        self._under.close()

    def abort(self) -> None:
        self._written.clear()
        self._under.abort()

    def is_closing(self) -> bool:
        return self._under.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._under.get_extra_info(name, default)

    def pause_reading(self) -> None:
        self._under.pause_reading()

    def resume_reading(self) -> None:
        self._under.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._under.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._under.get_protocol()
