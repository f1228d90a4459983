"""The bytes of a PUT into a document that the parts may trust, or why not. Called by app.py in a thread."""

import json

from pydantic import ValidationError

from cloudsync.agent.validate import problems, unknown_keys
from cloudsync.agent.wire_error import Refusal, where
from cloudsync.model import wire
from cloudsync.model.document import HostDocument

_MOST = 20


def read_document(body: bytes, base: int) -> HostDocument:
    """Raise Refusal (422), which quotes nothing that can be secret."""
    document = _parse(body)
    strange = unknown_keys(json.loads(body), json.loads(wire.dump(HostDocument, document)))
    if strange:
        raise Refusal(
            422,
            f"the document has fields that this agent does not know: {_listed(strange)}",
            "the controller is newer than this agent: upgrade cloudsync on the host",
        )
    found = problems(document)
    if document.generation != base + 1:
        found.append(f"generation {document.generation} does not follow {base}")
    if found:
        raise Refusal(422, f"the document cannot be used: {_listed(found)}", "this is a fault of cloudsync: report it")
    return document


def _parse(body: bytes) -> HostDocument:
    """The cause is not chained: pydantic's text quotes what was sent."""
    try:
        return wire.load(HostDocument, body)
    except ValidationError as error:
        details = where(error.errors(include_input=False, include_url=False, include_context=False))
    except RecursionError:
        details = "it is nested too deeply"
    raise Refusal(422, f"this is not a host document: {details}", "is the controller of another version of cloudsync?")


def _listed(texts: list[str]) -> str:
    more = len(texts) - _MOST
    return "; ".join(texts[:_MOST]) + (f"; and {more} more" if more > 0 else "")
