"""The outermost layer of the API: refuses bodies that are too big, keeps what unforeseen errors say out of the log."""

import logging

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloudsync.agent.mishap import mishap

log = logging.getLogger("cloudsync.agent")

MAX_BODY = 64 << 20


def guard(app: ASGIApp, limit: int = MAX_BODY) -> ASGIApp:
    """`limit` is in bytes; it holds whether the length was announced or not."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced[:20]) > limit:
            await _too_big(limit)(scope, receive, send)
            return
        try:
            await app(scope, _counted(receive, limit), send)
        except Exception as error:
            # Starlette has answered it already and raises it again; uvicorn would log what it says.
            log.error("a request failed: %s", mishap(error))

    return guarded


def _counted(receive: Receive, limit: int) -> Receive:
    got = 0

    async def counted() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        if got > limit:
            raise HTTPException(413, _text(limit))
        return message

    return counted


def _too_big(limit: int) -> JSONResponse:
    return JSONResponse({"message": _text(limit), "hint": ""}, 413, {"connection": "close"})


def _text(limit: int) -> str:
    return f"the body is bigger than {limit >> 20} MiB"
