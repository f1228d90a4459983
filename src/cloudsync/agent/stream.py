"""An answer that goes on: lines as they come, until they end, the client is gone, or the agent stops.

Starlette notices a client's death only when it writes; here the connection itself is watched, so that what a client
holds (a lock, a download) is let go at once.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cloudsync.agent.mishap import mishap

log = logging.getLogger("cloudsync.agent")

BEAT = 15.0
"""Seconds after which an empty line is sent, so that the other end can tell a quiet agent from a dead one."""


class Stream(Response):
    """`lines` is closed in every case.

    `ended` may be called more than once, first as soon as the end is noticed: a client that has seen the agent close
    the connection may rely on it.
    """

    media_type = "application/x-ndjson"

    def __init__(
        self, lines: AsyncIterator[bytes], stop: asyncio.Event, ended: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__()
        del self.headers["content-length"]
        self.headers["content-type"] = self.media_type
        self._lines = lines
        self._stop = stop
        self._ended = ended

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        talk = asyncio.ensure_future(self._talk(send))
        tasks = [talk, asyncio.ensure_future(self._stop.wait()), asyncio.ensure_future(self._until_gone(receive))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._ended()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._close()
        await self._finish(talk, send)

    async def _finish(self, talk: "asyncio.Future[None]", send: Send) -> None:
        """The end mark is sent only after the last line: without it the client knows that more should have come."""
        if talk.cancelled():
            return
        error = talk.exception()
        if error is None:
            with suppress(OSError):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        elif not isinstance(error, OSError):
            log.error("an answer broke off: %s", mishap(error))

    async def _until_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            continue
        self._ended()

    async def _talk(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for line in _beating(self._lines):
            await send({"type": "http.response.body", "body": line, "more_body": True})

    async def _close(self) -> None:
        close = getattr(self._lines, "aclose", None)
        if close is not None:
            await close()


async def _beating(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines, with an empty one whenever nothing came for BEAT seconds."""
    following = asyncio.ensure_future(_next(lines))
    try:
        while True:
            done, _ = await asyncio.wait({following}, timeout=BEAT)
            if not done:
                yield b"\n"
                continue
            line = following.result()
            if line is None:
                return
            yield line
            following = asyncio.ensure_future(_next(lines))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _next(lines: AsyncIterator[bytes]) -> bytes | None:
    return await anext(lines, None)
