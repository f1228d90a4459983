"""The API's part for connections that go along with a machine to another host. Called by app.py."""

from fastapi import FastAPI, Request, Response

from cloudsync.agent.bodies import Uuid
from cloudsync.agent.firewall import conntrack
from cloudsync.agent.firewall.ctflow import fits
from cloudsync.agent.keeper import Keeper
from cloudsync.agent.wire_error import Refusal
from cloudsync.model import wire
from cloudsync.model.flow import Flow

_MANY = {"type": "array", "items": {"$ref": "#/components/schemas/Flow"}}
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _MANY}}}}


def install(app: FastAPI, keeper: Keeper) -> None:
    @app.get("/v1/instances/{uuid}/flows", response_model=tuple[Flow, ...])
    def flows(uuid: Uuid) -> Response:
        """Its established connections, but those that go by this host's own address."""
        found = tuple(conntrack.flows(_addresses(keeper, uuid)))
        return Response(wire.dump(found), media_type="application/json")

    @app.put("/v1/instances/{uuid}/flows", status_code=204, openapi_extra=_BODY)
    async def take(uuid: Uuid, request: Request) -> Response:
        """Those that it had where it lived before it moved here: they go on."""
        try:
            found = wire.load(tuple[Flow, ...], await request.body())
        except ValueError:
            raise Refusal(400, "these are not flows", "upgrade what is older: cloudsync here, or this agent") from None
        own = _addresses(keeper, uuid)
        conntrack.create(flow for flow in found if own & {flow.reply_source, flow.source} and fits(flow))
        return Response(status_code=204)


def _addresses(keeper: Keeper, uuid: str) -> frozenset[str]:
    document = keeper.document
    for one in document.instances.values() if document else ():
        if one.uuid == uuid:
            return frozenset((*(nic.address for nic in one.nics), *one.floating))
    raise Refusal(404, f"no instance {uuid} is on record here", "put the document first")
