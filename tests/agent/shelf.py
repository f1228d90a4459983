"""A web server that serves one file and can misbehave: the other end of a download."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Shelf:
    """Listens on 127.0.0.1 while it is open. `served` counts the file's bytes that are sent.

    `ranges` and `paths` are what was asked for, one each a request.
    `cuts` are numbers of bytes after which the connection breaks, one for each request, in order.
    """

    def __init__(self) -> None:
        self.content = b""
        self.etag = '"one"'
        self.understands_ranges = True
        self.claims: int | None = None
        self.chunked = False
        self.statuses: list[int] = []
        self.cuts: list[int] = []
        self.served = 0
        self.requests = 0
        self.ranges: list[str | None] = []
        self.paths: list[str] = []
        self.redirects = 0
        self.before: Callable[[], None] = lambda: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/debian.qcow2"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests += 1
        self.ranges.append(request.headers.get("Range"))
        self.paths.append(request.path)
        self.before()
        if self.redirects:
            self.redirects -= 1
            request.send_response(302)
            request.send_header("Location", self.url)
            request.end_headers()
            return
        if self.statuses:
            request.send_response(self.statuses.pop(0))
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        self._send(request, self._start(request))

    def _start(self, request: BaseHTTPRequestHandler) -> int:
        asked = request.headers.get("Range")
        fresh = request.headers.get("If-Range") in (None, self.etag)
        if asked and self.understands_ranges and fresh:
            return int(asked.removeprefix("bytes=").removesuffix("-"))
        return 0

    def _send(self, request: BaseHTTPRequestHandler, start: int) -> None:
        rest = self.content[start:]
        if start and not rest:
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(self.content)}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        request.send_response(206 if start else 200)
        request.send_header("ETag", self.etag)
        if start:
            end = len(self.content) - 1
            request.send_header("Content-Range", f"bytes {start}-{end}/{len(self.content)}")
        if not self.chunked:
            request.send_header("Content-Length", str(self.claims if self.claims is not None else len(rest)))
        request.send_header("Connection", "close")
        request.end_headers()
        sent = rest[: self.cuts.pop(0)] if self.cuts else rest
        # Before it is sent: whoever has all of it may look at once.
        self.served += len(sent)
        request.wfile.write(sent)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        shelf = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                try:
                    shelf.answer(self)
                except ConnectionError:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler
