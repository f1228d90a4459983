"""What outlives each link between the process and an agent: the desk, and reports that no agent has fetched yet.

Guests are answered while there is no agent. What they report meanwhile is kept for the next one; each guest has a share
of the room, so that none can use up the others'. Called by worker.py.
"""

import asyncio
import json
import socket
from typing import Any, cast

from cloudsync.agent.metadata.desk import Desk
from cloudsync.agent.metadata.orders import Orders
from cloudsync.agent.metadata.reports import Report, to_json

_UNSENT = 1 << 20
"""Bytes that may wait for an agent that is there. Beyond that guests are told to come back."""
KEPT, KEPT_OF_ONE = 8 << 20, 32 << 10
"""Bytes that may wait for the next agent: in all, and of one guest. A boot's reports take about 6 KiB."""


class Office:
    def __init__(self) -> None:
        self.loaded, self.ended = asyncio.Event(), asyncio.Event()
        self.desk = Desk(self.tell)
        self._link: Link | None = None
        self._kept: list[bytes] = []
        self._sizes: dict[str, int] = {}
        self._tasks: set[asyncio.Task[object]] = set()

    def tell(self, uuid: str, report: Report) -> bool:
        line = line_of(to_json(uuid, report))
        if self._link is not None:
            return self._link.post(line)
        mine, all_of_them = self._sizes.get(uuid, 0) + len(line), sum(self._sizes.values()) + len(line)
        if mine > KEPT_OF_ONE or all_of_them > KEPT:
            return False
        self._sizes[uuid] = mine
        self._kept.append(line)
        return True

    def hand_over(self, link: socket.socket, listener: socket.socket) -> None:
        """To an agent that has come: the listening socket, and how many reports follow. Raise OSError."""
        socket.send_fds(link, [line_of({"kept": len(self._kept)})], [listener.fileno()])
        loop = asyncio.get_running_loop()
        task = loop.create_task(loop.create_unix_connection(lambda: Link(self), sock=link))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def attach(self, link: "Link") -> None:
        self._link = link
        kept, self._kept, self._sizes = self._kept, [], {}
        for line in kept:
            link.post(line)

    def detach(self, link: "Link") -> None:
        """Without records there is nothing to go on with."""
        if self._link is link:
            self._link = None
            if not self.loaded.is_set():
                self.ended.set()
                self.loaded.set()

    def count(self) -> None:
        """Tell the agent how guests were answered; while there is none, that is counted on."""
        if self._link is not None and (counts := self.desk.tally.taken()):
            self._link.post(line_of({"asked": counts}))

    async def flush(self) -> None:
        """What was said to the agent has gone out; there is no link any more."""
        self.count()
        if self._link is not None:
            self._link.close()
            await self._link.closed.wait()


class Link(asyncio.Protocol):
    """A link to an agent: orders in, reports out."""

    def __init__(self, office: Office) -> None:
        self.closed = asyncio.Event()
        self._office = office
        self._orders = Orders(office.desk, self._reply, office.ended.set)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._office.attach(self)

    def data_received(self, data: bytes) -> None:
        self._orders.feed(data)

    def eof_received(self) -> None:
        """What was written still goes out, and the agent reads it; what comes from now on is kept."""
        self._office.detach(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._office.detach(self)
        self.closed.set()

    def post(self, line: bytes) -> bool:
        """False when the agent does not keep up."""
        if self._transport.get_write_buffer_size() > _UNSENT:
            return False
        self._transport.write(line)
        return True

    def close(self) -> None:
        self._transport.close()

    def _reply(self, message: dict[str, Any]) -> None:
        self._transport.write(line_of(message))
        if "ack" in message:
            self._office.loaded.set()


def line_of(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"
