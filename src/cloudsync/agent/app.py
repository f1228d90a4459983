"""The agent's API over its Unix socket: HTTP in, calls of keeper, lock, images, boots and console out.

Called by daemon.py.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from ipaddress import IPv4Address
from typing import Annotated

from fastapi import FastAPI, Header, Query, Request
from fastapi import Path as Segment
from starlette.responses import JSONResponse, Response

from cloudsync import __version__
from cloudsync.agent import console, flows, guests, history, wire_error
from cloudsync.agent.bodies import (
    LINES,
    Deleted,
    Line,
    Problem,
    Sha256,
    Stored,
    Wanted,
    Who,
    body_of,
    describe_delta,
)
from cloudsync.agent.checkup.gather import Checkup
from cloudsync.agent.images import News
from cloudsync.agent.keeper import Moved
from cloudsync.agent.lock import Grip
from cloudsync.agent.meter import metered
from cloudsync.agent.receive import read_delta, read_document
from cloudsync.agent.services import Services
from cloudsync.agent.state import gather
from cloudsync.agent.store import Text
from cloudsync.agent.stream import Stream
from cloudsync.agent.take_in import Wish
from cloudsync.agent.wire_error import Refusal
from cloudsync.model import wire
from cloudsync.model.agent_state import AgentState, Alert, Held, ImageDone
from cloudsync.model.checkup import Report
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.ruling import Ruling
from cloudsync.reach.question import Question
from cloudsync.reach.service import Service, parse
from cloudsync.spec.rules import RuleError


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
    guests.serve(app, services)
    flows.install(app, services.keeper)
    history.install(app, services)
    describe_delta(app)
    return app


def _host(app: FastAPI, services: Services) -> None:
    @app.get("/v1/host", response_model=AgentState)
    def host() -> Response:
        """The host as it is; the document comes without its user-data."""
        state = gather(services)
        return Response(wire.dump(state), media_type="application/json")

    @app.get("/v1/alerts", response_class=Response, responses=LINES)
    async def alerts() -> Response:
        """Where this host differs from its document, one Alert a line, whenever that changes; how it is now comes
        first."""
        return Stream(_told_alerts(services.alarm.follow()), services.stop)

    @app.get("/v1/checkup", response_model=Report)
    def checkup() -> Response:
        """Is this host fit, and why not: everything that was looked at, in the order in which to mend it."""
        asked = Checkup(services.keeper, services.images.pool, services.lookout, services.reader)
        return Response(wire.dump(asked.report()), media_type="application/json")

    @app.put("/v1/document", response_model=Stored, openapi_extra=body_of("HostDocument"))
    async def put(request: Request, if_match: Annotated[str | None, Header()] = None) -> Response:
        """Replace generation N (`If-Match: "N"`, 0 for none) by the body, whose generation is N+1: whole or not at all.

        412: another came between. 409: another cloud's host. 422: not a document.
        500: a part failed, and the old one stands.
        """
        base = _generation(if_match)
        body = await request.body()
        with metered(services.meter, "put"):
            return await asyncio.to_thread(_put, services, body, base)

    @app.patch("/v1/document", response_model=Stored, openapi_extra=body_of("DocumentDelta"))
    async def patch(request: Request, if_match: Annotated[str | None, Header()] = None) -> Response:
        """Change the document whose etag is X (`If-Match: "X"`, as `GET /v1/host` says it); otherwise as PUT.

        412: it is another by now, or the delta does not fit it. Send the whole then.
        """
        etag = _etag(if_match)
        body = await request.body()
        with metered(services.meter, "patch"):
            return await asyncio.to_thread(_patch, services, body, etag)


async def _told_alerts(alerts: AsyncIterator[Alert]) -> AsyncIterator[bytes]:
    async for alert in alerts:
        yield wire.dump(alert) + b"\n"


def _put(services: Services, body: bytes, base: int) -> Response:
    there, _ = services.keeper.held()
    return _store(services, *read_document(body, base, there), base)


def _patch(services: Services, body: bytes, etag: str) -> Response:
    there, current = services.keeper.held()
    if there is None or etag != current:
        raise Moved("the document to be changed is not the one that is here", "send the whole document")
    return _store(services, *read_delta(body, there), there.generation)


def _store(services: Services, document: HostDocument, text: Text, base: int) -> Response:
    before = services.keeper.uuids()
    etag = services.keeper.put(document, base, text)
    kept = services.keeper.uuids()
    services.boots.keep(kept)
    services.meter.forget_others(kept)
    services.meter.holds(document)
    console.forget(services.consoles, before - kept)
    services.reader.suit(document)
    return JSONResponse({"generation": document.generation, "etag": etag})


def _etag(if_match: str | None) -> str:
    if if_match is None:
        raise Refusal(428, "the header If-Match is missing", "say which document is changed, by its etag")
    return if_match.removeprefix('"').removesuffix('"')


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

    @app.post("/v1/lock", response_class=Response, responses=LINES | {423: {"model": Problem}})
    async def take(wanted: Who, lease: Annotated[float, Query(ge=0, le=3600)] = 0) -> Response:
        """Take it: one line {"held": true, "key"}, then nothing. The lock is held until the connection ends, and with a
        lease, in seconds, only as long as it is renewed meanwhile."""
        mine = services.lock.take(wanted.who, lease)
        return Stream(_holding(services, mine), services.stop, lambda: services.lock.release(mine))

    @app.put("/v1/lock/{key}", responses={404: {"model": Problem}})
    async def renew(key: Annotated[str, Segment(pattern="^[0-9a-f]{32}$")]) -> Held:
        """Have it last for another lease. 404: it is over."""
        return services.lock.renew(key)


async def _holding(services: Services, mine: Grip) -> AsyncIterator[bytes]:
    yield json.dumps({"held": True, "key": mine.key}).encode() + b"\n"
    while not services.stop.is_set() and (left := services.lock.left(mine)) != 0.0:
        with suppress(TimeoutError):
            await asyncio.wait_for(services.stop.wait(), left)


def _images(app: FastAPI, services: Services) -> None:
    @app.post("/v1/images", response_class=Response, responses=LINES)
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
        return {"done": json.loads(wire.dump(news))}
    if isinstance(news, CloudsyncError):
        return {"error": {"message": news.message, "hint": news.hint}}
    return {"progress": news}
