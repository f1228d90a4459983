"""An answer, ready to be written: its head is made once, with what never changes between two requests for it."""

import json
from http import HTTPStatus

from cloudsync.model.dataclass import dataclass

TEXT = "text/plain; charset=UTF-8"
HTML = "text/html; charset=UTF-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Page:
    """`head` is the status line and the headers, without the empty line after them."""

    status: int
    kind: str
    head: bytes
    body: bytes


def page(body: bytes, kind: str, status: int = 200, extra: str = "") -> Page:
    """`extra` is header lines, each with its CRLF."""
    phrase = HTTPStatus(status).phrase
    head = f"HTTP/1.1 {status} {phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}"
    return Page(status, kind, head.encode(), body)


_WHY = {
    400: "The server could not comply with the request since it is either malformed or otherwise incorrect.",
    404: "The resource could not be found.",
    408: "The request did not come in time.",
    409: "There was a conflict when trying to complete your request.",
    413: "The request is too large.",
    414: "The path is too long.",
    429: "Too many reports in a short time.",
    431: "The headers are too large.",
    503: "The record of this instance is not complete yet. Please try again in a second.",
}


_HTML = """<html>
 <head>
  <title>{title}</title>
 </head>
 <body>
  <h1>{title}</h1>
  {why}
 </body>
</html>"""


def error(status: int, accept: str = "") -> Page:
    """In the shape that the client prefers, as Nova does: HTML, or JSON, or plain text."""
    title, why = f"{status} {HTTPStatus(status).phrase}", _WHY[status]
    extra = "Retry-After: 1\r\n" if status in (429, 503) else ""
    if not accept or "html" in accept or "*/*" in accept:
        return page(_HTML.format(title=title, why=why).encode(), HTML, status, extra)
    if "application/json" in accept:
        body = json.dumps({"message": why, "code": title, "title": HTTPStatus(status).phrase})
        return page(body.encode(), JSON, status, extra)
    return page(f"{title}\n\n{why}\n".encode(), TEXT, status, extra)
