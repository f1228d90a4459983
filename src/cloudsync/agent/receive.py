"""The bytes of a PUT or a PATCH into a document that the parts may trust, and how to store it, or why not.

Called by app.py in a thread.
"""

from typing import TypeVar

from pydantic import ValidationError

from cloudsync.agent.keeper import Moved
from cloudsync.agent.store import Text
from cloudsync.agent.validate import problems
from cloudsync.agent.wire_error import Refusal, where
from cloudsync.model import wire
from cloudsync.model.delta import DocumentDelta, Misfit, difference, patched
from cloudsync.model.document import HostDocument
from cloudsync.model.snapshot import Boot

T = TypeVar("T")

_MOST = 20
_UNKNOWN = "unexpected_keyword_argument"
_VERSION = "is the controller of another version of cloudsync?"


def read_document(body: bytes, base: int, there: HostDocument | None = None) -> tuple[HostDocument, Text]:
    """Raise Refusal (422), which quotes nothing that can be secret. What is `there` already stays the same objects."""
    document, whole = _parse(HostDocument, body), Text(body)
    if there is None or (there.cloud, there.host) != (document.cloud, document.host):
        return _sound(document, base), whole
    delta = difference(there, document)
    change = Text(wire.dump(delta), there)
    return _sound(patched(there, delta), base, there), change if len(change.body) <= len(body) // 2 else whole


def read_delta(body: bytes, base: HostDocument) -> tuple[HostDocument, Text]:
    """What `base` becomes by the delta; what it leaves alone stays the same objects. Raise Refusal as above.

    Moved when the delta was made from another document: its sender has seen something else than what is here.
    """
    delta = _parse(DocumentDelta, body)
    try:
        document = patched(base, delta)
    except Misfit as error:
        raise Moved(
            f"the delta does not fit generation {base.generation}: {error}", "send the whole document"
        ) from None
    return _sound(document, base.generation, base), Text(body, base)


def read_boot(body: bytes, uuid: str) -> Boot:
    """Raise Refusal (422) when it is not one of that machine."""
    boot = _parse(Boot, body)
    if boot.uuid != uuid:
        raise Refusal(422, "this is what another machine told of its boot", _VERSION)
    return boot


def _sound(document: HostDocument, base: int, known: HostDocument | None = None) -> HostDocument:
    found = problems(document, known)
    if document.generation != base + 1:
        found.append(f"generation {document.generation} does not follow {base}")
    if found:
        raise Refusal(422, f"the document cannot be used: {_listed(found)}", "this is a fault of cloudsync: report it")
    return document


def _parse(kind: type[T], body: bytes) -> T:
    """The cause is not chained: pydantic's text quotes what was sent."""
    try:
        return wire.load(kind, body, unknown="forbid")
    except ValidationError as error:
        errors = error.errors(include_input=False, include_url=False, include_context=False)
    except RecursionError:
        raise Refusal(422, "this is not a host document: it is nested too deeply", _VERSION) from None
    if all(one["type"] == _UNKNOWN for one in errors):
        raise Refusal(
            422,
            f"the document has fields that this agent does not know: {where(errors, reasons=False)}",
            "the controller is newer than this agent: upgrade cloudsync on the host",
        )
    raise Refusal(422, f"this is not a host document: {where(errors)}", _VERSION)


def _listed(texts: list[str]) -> str:
    more = len(texts) - _MOST
    return "; ".join(texts[:_MOST]) + (f"; and {more} more" if more > 0 else "")
