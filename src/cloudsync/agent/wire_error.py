"""Every failure into the one shape a client gets: {"message", "hint"}. Input is never quoted: it may hold a secret."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from cloudsync.agent.images import InUse
from cloudsync.agent.keeper import Blank, Foreign, Moved
from cloudsync.agent.lock import Gone, Taken
from cloudsync.agent.words import shown
from cloudsync.model.problem import CloudsyncError

_STATUS: tuple[tuple[type[CloudsyncError], int], ...] = (
    (Blank, 404),
    (Gone, 404),
    (Moved, 412),
    (Foreign, 409),
    (InUse, 409),
    (Taken, 423),
)
_MOST = 20


class Refusal(CloudsyncError):
    """An answer with a status of its own."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


def install(app: FastAPI) -> None:
    app.add_exception_handler(CloudsyncError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unknown)


def where(errors: Sequence[Mapping[str, Any]], reasons: bool = True) -> str:
    """Pydantic's errors as places and reasons, without what was sent."""
    texts = [_place(error["loc"]) + (f": {error['msg']}" if reasons else "") for error in errors[:_MOST]]
    more = len(errors) - len(texts)
    return "; ".join(texts) + (f"; and {more} more" if more else "")


def _place(parts: Sequence[object]) -> str:
    return ".".join(str(part) if isinstance(part, int) else shown(str(part)).strip("'\"") for part in parts) or "body"


async def _known(_request: Request, error: Exception) -> JSONResponse:
    status = error.status if isinstance(error, Refusal) else 500
    for kind, number in _STATUS:
        if isinstance(error, kind):
            status = number
    content = {"message": str(error), "hint": getattr(error, "hint", "")}
    if isinstance(error, Taken):
        content |= {"holder": error.held.holder, "since": error.held.since}
    return JSONResponse(content, status)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    details = where(error.errors()) if isinstance(error, RequestValidationError) else ""
    return _answer(422, f"the request is not as it should be: {details}", "see /openapi.json")


async def _http(_request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else ""
    hint = "is the agent of another version? see /openapi.json" if status in (404, 405) else ""
    return _answer(status, str(detail), hint)


async def _unknown(_request: Request, error: Exception) -> JSONResponse:
    return _answer(500, f"the agent failed with {type(error).__name__}", "the details are in the agent's log")


def _answer(status: int, message: str, hint: str) -> JSONResponse:
    return JSONResponse({"message": message, "hint": hint}, status)
