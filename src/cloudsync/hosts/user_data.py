"""A planned document and the user-data read from the spec into the document that is sent. Pure; called by host.py."""

from base64 import b64encode
from dataclasses import replace

from cloudsync.apply.driver import Blobs
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError


def filled(document: HostDocument, blobs: Blobs) -> HostDocument:
    """With the user-data that its instances name. Raise HostError when some of it is not in `blobs`."""
    named = {instance.user_data.sha256: name for name, instance in document.instances.items() if instance.user_data}
    for digest in sorted(named.keys() - blobs.keys()):
        raise HostError(
            f"the user-data {digest[:12]} of {named[digest]} is not at hand", "plan again from the same spec"
        )
    return replace(document, user_data={digest: b64encode(blobs[digest]).decode() for digest in sorted(named)})
