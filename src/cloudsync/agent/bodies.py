"""What the agent's API takes and answers, and how its description names that. Called by app.py."""

from typing import Annotated, Any

from fastapi import FastAPI
from fastapi import Path as Segment
from pydantic import BaseModel, Field

from cloudsync.model import wire
from cloudsync.model.delta import DocumentDelta

Sha256 = Annotated[str, Segment(pattern="^[0-9a-f]{64}$")]
Uuid = Annotated[str, Segment(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]


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


class Stored(BaseModel):
    """What is in force and on the disk now."""

    generation: int
    etag: str


class Deleted(BaseModel):
    deleted: bool


def body_of(kind: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{kind}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


LINES: dict[int | str, dict[str, Any]] = {200: {"content": {"application/x-ndjson": {}}}}


def describe_delta(app: FastAPI) -> None:
    """No endpoint has FastAPI read or write a delta, so it would not be in the description."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        described = plain()
        delta = wire.schema(DocumentDelta, "#/components/schemas/{model}")
        schemas = described["components"]["schemas"]
        described["components"]["schemas"] = delta.pop("$defs") | {"DocumentDelta": delta} | schemas
        return described

    app.openapi = openapi  # type: ignore[method-assign]
