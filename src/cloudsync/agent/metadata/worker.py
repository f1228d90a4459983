"""The process that guests talk to: `python -m cloudsync.agent.metadata LISTENER CHANNEL FOLDER [LIMITS]`.

The agent starts it with both sockets open. It ends when the agent does: the channel's end is its end.
"""

import asyncio
import json
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import uvloop

from cloudsync.agent.metadata.confine import confine
from cloudsync.agent.metadata.connection import Connection
from cloudsync.agent.metadata.desk import Desk
from cloudsync.agent.metadata.limits import Limits
from cloudsync.agent.metadata.orders import Orders
from cloudsync.agent.metadata.reports import Report, to_json
from cloudsync.agent.metadata.visitors import Visitors

BACKLOG = 1024
_SWEEP = 1.0
_UNSENT_REPORTS = 1 << 20
"""Bytes that may wait for the agent. Beyond that guests are told to come back."""


def main(arguments: list[str]) -> int:
    """0 when the agent ended, 1 when the process could not be confined: then it has served nobody."""
    listener = socket.socket(fileno=int(arguments[0]))
    channel = socket.socket(fileno=int(arguments[1]))
    limits = Limits(**json.loads(arguments[3])) if len(arguments) > 3 else Limits()
    try:
        confine(Path(arguments[2]))
    except (OSError, LookupError) as error:
        channel.sendall(_line({"fatal": str(error)}))
        return 1
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(listener, channel, limits))
    return 0


class Channel(asyncio.Protocol):
    """The one link to the agent: orders in, reports out."""

    def __init__(self) -> None:
        self.ended, self.loaded = asyncio.Event(), asyncio.Event()
        self.desk = Desk(self.tell)
        self._orders = Orders(self.desk, self.send)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.send({"ready": True})

    def data_received(self, data: bytes) -> None:
        self._orders.feed(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        self.ended.set()
        self.loaded.set()

    def send(self, message: dict[str, Any]) -> None:
        if "ack" in message:
            self.loaded.set()
        self._transport.write(_line(message))

    def tell(self, uuid: str, report: Report) -> bool:
        if self._transport.get_write_buffer_size() > _UNSENT_REPORTS:
            return False
        self.send(to_json(uuid, report))
        return True


async def _serve(listener: socket.socket, channel: socket.socket, limits: Limits) -> None:
    """Nobody is answered before the first records are in: a 404 would be believed, a guest in the queue waits."""
    loop = asyncio.get_running_loop()
    visitors = Visitors(limits)
    listener.setblocking(False)
    channel.setblocking(False)
    _, link = await loop.create_unix_connection(Channel, sock=channel)
    await link.loaded.wait()
    server = await loop.create_server(
        lambda: Connection(link.desk, visitors, limits, loop), sock=listener, backlog=BACKLOG
    )
    while not link.ended.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(link.ended.wait(), _SWEEP)
        visitors.sweep(loop.time())
    server.close()


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"
