"""HTTP load from many source addresses over kept connections, in one cheap process; used by metadata.py.

Open loop: each request has a time at which it is due, whatever became of the others, and its latency counts from
then, so that a server that stalls is charged for all that was due meanwhile. Closed loop: each asks again at once.
"""

import asyncio
import time
from collections import deque
from typing import cast

import uvloop

_TICK = 0.001


class Stream(asyncio.Protocol):
    """One connection with one request in flight; what is due meanwhile waits its turn, and the wait counts."""

    def __init__(self, request: bytes, latencies: list[float], closed: bool) -> None:
        self._request, self._latencies, self._closed = request, latencies, closed
        self._due: deque[float] = deque()
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def ask(self, due: float) -> None:
        self._due.append(due)
        if len(self._due) == 1:
            self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, mark, body = self._buffer.partition(b"\r\n\r\n")
        if not mark or len(body) < int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"the service said {head[:40]!r}")
        self._buffer = b""
        now = time.perf_counter()
        self._latencies.append(now - self._due.popleft())
        if self._closed:
            self._due.append(now)
        if self._due:
            self._transport.write(self._request)


def open_loop(sources: list[str], port: int, path: str, rate: float, seconds: float) -> list[float]:
    """Latencies in seconds of `rate` requests a second, `seconds` long. One unmeasured second comes before."""
    return uvloop.run(_run(sources, port, path, rate, seconds))


def closed_loop(sources: list[str], port: int, path: str, seconds: float) -> float:
    """Requests a second when each connection asks again at once."""
    return len(uvloop.run(_run(sources, port, path, 0, seconds))) / seconds


async def _run(sources: list[str], port: int, path: str, rate: float, seconds: float) -> list[float]:
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    request = f"GET {path} HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n".encode()
    streams = []
    for source in sources:
        _, stream = await loop.create_connection(
            lambda: Stream(request, latencies, rate == 0), "127.0.0.1", port, local_addr=(source, 0)
        )
        streams.append(stream)
    if rate:
        await _offer(streams, rate, 1.0)
        latencies.clear()
        await _offer(streams, rate, seconds)
        while len(latencies) < int(rate * seconds):
            await asyncio.sleep(0.01)
        return latencies
    for stream in streams:
        stream.ask(time.perf_counter())
    await asyncio.sleep(seconds)
    return list(latencies)


async def _offer(streams: list[Stream], rate: float, seconds: float) -> None:
    """Round robin, each tick all that has become due since the last: the tick is part of the latency."""
    begin, sent, total = time.perf_counter(), 0, int(rate * seconds)
    while sent < total:
        reached = min(total, int((time.perf_counter() - begin) * rate) + 1)
        for number in range(sent, reached):
            streams[number % len(streams)].ask(begin + number / rate)
        sent = reached
        await asyncio.sleep(_TICK)
