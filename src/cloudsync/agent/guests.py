"""The part of the agent's API that is about single guests: their boots, serial logs, and what was denied them.

Called by app.py.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from cloudsync.agent import console, knock
from cloudsync.agent.bodies import LINES, Uuid, body_of
from cloudsync.agent.receive import read_boot
from cloudsync.agent.services import Services
from cloudsync.agent.stream import Stream
from cloudsync.agent.wire_error import Refusal
from cloudsync.model import wire
from cloudsync.model.agent_state import Signs
from cloudsync.model.denial import Denial, unlogged
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.resources import Instance
from cloudsync.model.snapshot import Boot


def serve(app: FastAPI, services: Services) -> None:
    """Add it to `app`."""
    _machines(app, services)
    _denials(app, services)


def _machines(app: FastAPI, services: Services) -> None:
    @app.get("/v1/boots", response_class=Response, responses=LINES)
    async def boots(uuid: Annotated[list[str], Query()]) -> Response:
        """What these guests have said of their boot, one Boot a line, then each change as it comes."""
        return Stream(_told_boots(services.boots.follow(frozenset(uuid))), services.stop)

    @app.get("/v1/instances/{uuid}/signs", response_model=Signs)
    async def signs(uuid: Uuid) -> Response:
        """What tells that a machine that was started is back: what its guest told of this boot, and whether its ssh
        port answers. 404: it is not on record here."""
        document = services.keeper.document
        here = document.instances.values() if document else ()
        instance = next((one for one in here if one.uuid == uuid), None)
        if instance is None:
            raise Refusal(404, f"no instance {uuid} is on record here", "put the document first")
        found = Signs(boot=services.boots.all().get(uuid), ssh=await knock.answers(instance.nics))
        return Response(wire.dump(found), media_type="application/json")

    @app.post("/v1/instances/{uuid}/boot", status_code=204, response_class=Response)
    def boot(uuid: Uuid) -> Response:
        """Say this before the machine is started: what its guest told of an earlier boot is over."""
        services.keeper.power_on(uuid)
        return Response(status_code=204)

    @app.put("/v1/instances/{uuid}/boot", status_code=204, openapi_extra=body_of("Boot"))
    async def learn(uuid: Uuid, request: Request) -> Response:
        """What a guest told of its boot where it lived before it moved here. 404: it is not on record here."""
        boot = read_boot(await request.body(), uuid)
        if uuid not in services.keeper.uuids():
            raise Refusal(404, f"no instance {uuid} is on record here", "put the document first")
        services.boots.learn(boot)
        return Response(status_code=204)

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

    @app.delete("/v1/instances/{uuid}/console", status_code=204, response_class=Response)
    def forget(uuid: Uuid) -> Response:
        """The machine is gone: so is what it wrote. Nothing happens when there is nothing."""
        console.forget(services.consoles, [uuid])
        return Response(status_code=204)


async def _told_boots(boots: AsyncIterator[Boot]) -> AsyncIterator[bytes]:
    async for boot in boots:
        yield wire.dump(boot) + b"\n"


def _denials(app: FastAPI, services: Services) -> None:
    @app.get("/v1/instances/{uuid}/denied", response_model=tuple[Denial, ...])
    def denied(uuid: Uuid) -> Response:
        """What this instance's groups denied lately, the latest last. 404: not here. 409: none of its groups logs."""
        instance = _logging(services, uuid)
        found = services.reader.record.of(nic.tap for nic in instance.nics)
        told = tuple(replace(one, groups=instance.groups) for one in found)
        return Response(wire.dump(told), media_type="application/json")

    @app.get("/v1/instances/{uuid}/denied/follow", response_class=Response, responses=LINES)
    async def follow(uuid: Uuid) -> Response:
        """One Denial a line, as they come."""
        return Stream(_told_denials(services, _logging(services, uuid)), services.stop)


def _logging(services: Services, uuid: str) -> Instance:
    document = services.keeper.document
    here = document.instances.values() if document else ()
    instance = next((one for one in here if one.uuid == uuid), None)
    if document is None or instance is None:
        raise Refusal(404, "there is no such instance on this host", "`cloudsync status` says where it is")
    silent = unlogged(instance, document.groups)
    if silent:
        raise Refusal(409, silent.message, silent.hint)
    if services.reader.fault:
        raise Refusal(503, services.reader.fault, "see `cloudsync doctor`")
    return instance


async def _told_denials(services: Services, instance: Instance) -> AsyncIterator[bytes]:
    async for denial in services.reader.record.follow(nic.tap for nic in instance.nics):
        yield wire.dump(replace(denial, groups=instance.groups)) + b"\n"
