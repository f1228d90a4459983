"""A planned document and the user-data read from the spec into the document that is sent. Pure; called by host.py."""

from base64 import b64encode
from dataclasses import replace

from cloudsync.apply.driver import Blobs
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError


def filled(document: HostDocument, blobs: Blobs, there: HostDocument | None = None) -> HostDocument:
    """With the user-data that its instances name. Raise HostError when some of it is neither in `blobs` nor on the host
    by `there`, the document that it has: the spec may not have any more what a machine was made with.

    What only the host has is left empty, as in the documents that agents give out: a delta keeps it.
    """
    named = _named(document)
    for digest in sorted(named.keys() - blobs.keys() - _named(there).keys()):
        raise HostError(
            f"the user-data {digest[:12]} of {named[digest]} is not at hand", "plan again from the same spec"
        )
    sent = {digest: b64encode(blobs[digest]).decode() if digest in blobs else "" for digest in sorted(named)}
    return replace(document, user_data=sent)


def _named(document: HostDocument | None) -> dict[str, str]:
    """Who has it, by digest."""
    instances = document.instances.items() if document else ()
    return {instance.user_data.sha256: name for name, instance in instances if instance.user_data}
