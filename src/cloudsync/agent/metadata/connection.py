"""One TCP connection: bytes into requests (llhttp does the parsing), requests to the desk, its pages back out.

Every answer is ready at once, so there is no task, no queue and no waiting in here, and a source that asks too much is
simply not read for a while.
"""

import asyncio
import logging
from typing import cast

import httptools

from cloudsync.agent.metadata.desk import Desk, Request, takes_body
from cloudsync.agent.metadata.limits import Limits
from cloudsync.agent.metadata.page import Page, error
from cloudsync.agent.metadata.visitors import Visitor, Visitors
from cloudsync.agent.mishap import mishap

log = logging.getLogger("cloudsync.metadata")


class Refused(Exception):
    """The rest of what this client sends is not read. `status` is its last answer, 0 for none."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Connection(asyncio.Protocol):
    def __init__(self, desk: Desk, visitors: Visitors, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        self._desk, self._visitors, self._limits, self._loop = desk, visitors, limits, loop
        self._parser = httptools.HttpRequestParser(self)
        self._visitor: Visitor | None = None
        self._held = b""
        self._resume: asyncio.TimerHandle | None = None
        self._closing = False
        self._last = False
        self._answered = False
        self._begun = False
        self._message = 0
        self._requests = 0
        self._reset()

    def _reset(self) -> None:
        self._target = b""
        self._accept = ""
        self._header = 0
        self._body = bytearray()
        self._size = 0
        self._expects = False

    # From the loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._source = str((transport.get_extra_info("peername") or ("",))[0])
        now = self._loop.time()
        self._deadline = now + self._limits.request_seconds
        self._visitor = self._visitors.enter(self._source, self, now)
        if self._visitor is None:
            self._abort()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._closing = True
        if self._visitor is not None:
            self._visitor.connections.discard(self)
        if self._resume is not None:
            self._resume.cancel()

    def data_received(self, data: bytes) -> None:
        if self._closing or self._visitor is None:
            return
        wait = self._visitor.bucket.wait(self._loop.time())
        if wait or self._held:
            self._hold(data, wait)
        else:
            self._feed(data)

    def expire(self, now: float) -> None:
        """Called once a second. Whoever was silent hears nothing; whoever was slow is told."""
        if self._held or now < self._deadline:
            return
        if self._begun and not self._closing:
            self._last_words(408)
        self._abort()

    def retire(self) -> None:
        """Close when it is idle, else with its next answer. One that has asked nothing yet is about to."""
        self._last = True
        if self._answered and not self._begun and not self._held:
            self._close()

    # Holding back a source that asks too much.

    def _hold(self, data: bytes, wait: float) -> None:
        self._held += data
        if self._resume is None:
            self._transport.pause_reading()
            self._resume = self._loop.call_later(wait, self._release)

    def _release(self) -> None:
        self._resume = None
        if self._closing or self._visitor is None:
            return
        wait = self._visitor.bucket.wait(self._loop.time())
        if wait:
            self._resume = self._loop.call_later(wait, self._release)
            return
        data, self._held = self._held, b""
        self._deadline = self._loop.time() + self._limits.request_seconds
        self._transport.resume_reading()
        self._feed(data)

    # Parsing.

    def _feed(self, data: bytes) -> None:
        self._message += len(data)
        self._requests = 0
        try:
            self._parser.feed_data(data)
            if self._begun and self._message - self._size > self._limits.header + self._limits.path:
                raise Refused(431)
        except Refused as refused:
            self._end(refused.status)
        except httptools.HttpParserUpgrade:
            self._close()
        except httptools.HttpParserCallbackError as failure:
            cause = failure.__context__
            if not isinstance(cause, Refused):
                log.error("a request failed: %s", mishap(cause or failure))
            self._end(cause.status if isinstance(cause, Refused) else 0)
        except httptools.HttpParserError:
            self._end(400)

    def on_message_begin(self) -> None:
        self._reset()
        self._begun = True
        self._deadline = self._loop.time() + self._limits.request_seconds

    def on_url(self, url: bytes) -> None:
        """Comes in pieces when it comes in several packets."""
        self._target += url
        if len(self._target) > self._limits.path:
            raise Refused(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header += len(name) + len(value) + len(": \r\n")
        if self._header > self._limits.header:
            raise Refused(431)
        lowered = name.lower()
        if lowered == b"accept":
            self._accept = value.decode("latin-1")
        elif lowered == b"expect" and value.lower() == b"100-continue":
            self._expects = True

    def on_headers_complete(self) -> None:
        if self._expects and not self._closing:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > self._limits.body:
            raise Refused(413)
        if takes_body(self._parser.get_method()):
            self._body += body

    def on_message_complete(self) -> None:
        self._requests += 1
        if self._closing or self._requests > self._limits.pipelined:
            raise Refused(0)
        if self._transport.get_write_buffer_size() > self._limits.unsent:
            raise Refused(0)
        method = self._parser.get_method()
        answer = self._desk.answer(Request(self._source, method, self._target, self._accept, bytes(self._body)))
        if self._visitor is not None:
            self._visitor.bucket.take()
        self._begun = False
        self._message = 0
        self._deadline = self._loop.time() + self._limits.idle_seconds
        self._answer(answer, method == b"HEAD")

    # Answering.

    def _answer(self, answer: Page, head_only: bool) -> None:
        body = b"" if head_only else answer.body
        self._answered = True
        if self._last or not self._parser.should_keep_alive() or self._parser.should_upgrade():
            self._transport.write(b"%bConnection: close\r\n\r\n%b" % (answer.head, body))
            self._close()
        elif self._parser.get_http_version() == "1.0":
            self._transport.write(b"%bConnection: keep-alive\r\n\r\n%b" % (answer.head, body))
        else:
            self._transport.write(b"%b\r\n%b" % (answer.head, body))

    def _last_words(self, status: int) -> None:
        answer = error(status, self._accept)
        self._desk.tally.add((), status)
        self._transport.write(b"%bConnection: close\r\n\r\n%b" % (answer.head, answer.body))

    def _end(self, status: int) -> None:
        """Say why, when there is something to say, and close. What goes out already is not cut off."""
        if self._closing:
            return
        if not status:
            self._abort()
            return
        self._last_words(status)
        self._close()

    def _close(self) -> None:
        """After what was written has gone out; the sweep sees to it that this ends."""
        self._closing = True
        self._transport.close()

    def _abort(self) -> None:
        self._closing = True
        self._transport.abort()
