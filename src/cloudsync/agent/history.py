"""The API's part for the journal: the controller says when an apply begins and how it ended. Called by app.py."""

import asyncio
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response

from cloudsync.agent.services import Services
from cloudsync.agent.wire_error import Refusal
from cloudsync.model import wire
from cloudsync.model.journal import Entry, of_cloud, read

_EITHER = {"oneOf": [{"$ref": f"#/components/schemas/{kind}"} for kind in ("Began", "Ended")]}
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _EITHER}}}}


def install(app: FastAPI, services: Services) -> None:
    @app.get("/v1/journal", response_model=tuple[Entry, ...])
    def entries(
        cloud: Annotated[str, Query(max_length=100)], limit: Annotated[int, Query(ge=1, le=100_000)] = 100
    ) -> Response:
        """The last applies of a cloud, oldest first. One without an end goes on, or was killed."""
        found = of_cloud(services.journal.entries(), cloud, limit)
        return Response(wire.dump(found), media_type="application/json")

    @app.post("/v1/journal", status_code=204, openapi_extra=_BODY)
    async def note(request: Request) -> Response:
        """An apply begins, or has ended; it is on the disk when this is answered. The host's generation is put in."""
        body = await request.body()
        await asyncio.to_thread(_note, services, body)
        return Response(status_code=204)


def _note(services: Services, body: bytes) -> None:
    record = read(body)
    if record is None:
        raise Refusal(422, "this is no line of a journal", "is the controller of another version of cloudsync?")
    document = services.keeper.document
    services.journal.add(record, document.generation if document else 0)
