"""The agent's API over its Unix socket: HTTP in, calls of keeper, lock, images, boots and console out.

Called by daemon.py.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query, Request
from fastapi import Path as Segment
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from cloudsync import __version__
from cloudsync.agent import console, wire_error
from cloudsync.agent.boots import Boots
from cloudsync.agent.images import Images, News
from cloudsync.agent.keeper import Keeper
from cloudsync.agent.lock import ApplyLock
from cloudsync.agent.receive import read_document
from cloudsync.agent.state import gather
from cloudsync.agent.stream import Stream
from cloudsync.agent.take_in import Wish
from cloudsync.agent.wire_error import Refusal
from cloudsync.model import wire
from cloudsync.model.agent_state import AgentState, Held, ImageDone
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.ruling import Ruling
from cloudsync.model.snapshot import Boot
from cloudsync.reach.question import Question
from cloudsync.reach.service import Service, parse
from cloudsync.spec.rules import RuleError

Sha256 = Annotated[str, Segment(pattern="^[0-9a-f]{64}$")]
Uuid = Annotated[str, Segment(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the API is a face of. `stop` is set when the agent ends."""

    keeper: Keeper
    boots: Boots
    images: Images
    lock: ApplyLock
    consoles: Path
    stop: asyncio.Event


class Who(BaseModel, extra="forbid"):
    who: Line


class Wanted(BaseModel, extra="forbid"):
    name: Line
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    source: Annotated[str, Field(max_length=4096)] | None = None
    format: Annotated[str, Field(pattern="^(qcow2|raw)$")] | None = None


class Problem(BaseModel):
    """Every answer that is not 2xx."""

    message: str
    hint: str


class Generation(BaseModel):
    generation: int


class Deleted(BaseModel):
    deleted: bool


_DOCUMENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/HostDocument"}}},
    }
}
_LINES: dict[int | str, dict[str, Any]] = {200: {"content": {"application/x-ndjson": {}}}}


def build(services: Services) -> FastAPI:
    """The whole API; see `schemas/agent.openapi.json`."""
    app = FastAPI(
        title="cloudsync agent",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
    )
    wire_error.install(app)
    _host(app, services)
    _rules(app, services)
    _lock(app, services)
    _images(app, services)
    _machines(app, services)
    return app


def _host(app: FastAPI, services: Services) -> None:
    @app.get("/v1/host", response_model=AgentState)
    def host() -> Response:
        """The host as it is; the document comes without its user-data."""
        state = gather(services.keeper, services.boots, services.images.pool)
        return Response(wire.dump(AgentState, state), media_type="application/json")

    @app.put("/v1/document", response_model=Generation, openapi_extra=_DOCUMENT)
    async def put(request: Request, if_match: Annotated[str | None, Header()] = None) -> Response:
        """Replace generation N (`If-Match: "N"`, 0 for none) by the body, whose generation is N+1: whole or not at all.

        412: another came between. 409: another cloud's host. 422: not a document.
        500: a part failed, and the old one stands.
        """
        base = _generation(if_match)
        body = await request.body()
        return await asyncio.to_thread(_put, services, body, base)


def _put(services: Services, body: bytes, base: int) -> Response:
    document = read_document(body, base)
    before = services.keeper.uuids()
    services.keeper.put(document, base)
    kept = services.keeper.uuids()
    services.boots.keep(kept)
    console.forget(services.consoles, before - kept)
    return JSONResponse({"generation": document.generation})


def _generation(if_match: str | None) -> int:
    if if_match is None:
        raise Refusal(428, "the header If-Match is missing", 'say which generation is replaced: If-Match: "3"')
    found = re.fullmatch(r'"(0|[1-9][0-9]{0,17})"', if_match)
    if not found:
        raise Refusal(422, "the header If-Match is not a generation", 'say which one is replaced: If-Match: "3"')
    return int(found[1])


def _rules(app: FastAPI, services: Services) -> None:
    @app.get("/v1/rulings")
    def rulings(
        source: IPv4Address, target: IPv4Address, service: Annotated[list[Line] | None, Query()] = None
    ) -> list[Ruling]:
        """What the kernel's rules, as they are now, do with the first packet of a connection between two addresses:
        for each service (`tcp/443`, `icmp/8`, `any`), or for all that rules mention. Changes nothing.

        404: there is no document yet. 422: not a service.
        """
        asked = Question(str(source), str(target), tuple(_service(text) for text in service or ()))
        return list(services.keeper.rulings(asked))


def _service(text: str) -> Service:
    try:
        return parse(text)
    except RuleError as error:
        raise Refusal(422, "the query's service is not one", "write tcp/443, udp/53, icmp/8 or any") from error


def _lock(app: FastAPI, services: Services) -> None:
    @app.get("/v1/lock")
    async def held() -> Held | None:
        """Who holds the apply lock."""
        return services.lock.held

    @app.post("/v1/lock", response_class=Response, responses=_LINES | {423: {"model": Problem}})
    async def take(wanted: Who) -> Response:
        """Take it: one line {"held": true}, then nothing. The lock is held until the connection ends."""
        mine = services.lock.take(wanted.who)
        return Stream(_holding(services.stop), services.stop, lambda: services.lock.release(mine))


async def _holding(stop: asyncio.Event) -> AsyncIterator[bytes]:
    yield b'{"held": true}\n'
    await stop.wait()


def _images(app: FastAPI, services: Services) -> None:
    @app.post("/v1/images", response_class=Response, responses=_LINES)
    async def put(wanted: Wanted) -> Response:
        """Have an image in the cache: lines {"progress"}, then {"done"} or {"error"}. Without a source it is the file
        `incoming-SHA256` of the pool."""
        wish = Wish(name=wanted.name, sha256=wanted.sha256, source=wanted.source, format=wanted.format)
        return Stream(_told(services.images.put(wish)), services.stop)

    @app.delete("/v1/images/{sha256}")
    async def delete(sha256: Sha256) -> Deleted:
        """409 while a disk stands on it."""
        return Deleted(deleted=await services.images.delete(sha256))


async def _told(news: AsyncIterator[News]) -> AsyncIterator[bytes]:
    async for each in news:
        yield json.dumps(_plain(each)).encode() + b"\n"


def _plain(news: News) -> dict[str, object]:
    if isinstance(news, ImageDone):
        return {"done": json.loads(wire.dump(ImageDone, news))}
    if isinstance(news, CloudsyncError):
        return {"error": {"message": news.message, "hint": news.hint}}
    return {"progress": news}


def _machines(app: FastAPI, services: Services) -> None:
    @app.get("/v1/boots", response_class=Response, responses=_LINES)
    async def boots(uuid: Annotated[list[str], Query()]) -> Response:
        """What these guests have said of their boot, one Boot a line, then each change as it comes."""
        return Stream(_told_boots(services.boots.follow(frozenset(uuid))), services.stop)

    @app.get(
        "/v1/instances/{uuid}/console",
        response_class=Response,
        responses={200: {"content": {"application/octet-stream": {}}}},
    )
    def log(uuid: Uuid) -> Response:
        """What the machine wrote to its serial port, oldest first."""
        try:
            return Response(console.read(services.consoles, uuid), media_type="application/octet-stream")
        except CloudsyncError as error:
            raise Refusal(404, error.message, error.hint) from error


async def _told_boots(boots: AsyncIterator[Boot]) -> AsyncIterator[bytes]:
    async for boot in boots:
        yield wire.dump(Boot, boot) + b"\n"
