"""Addresses that instances anywhere in the cloud have left, from one document to the next (pure).

Whose flows were cut when it left leaves none to whoever gets the address later.
"""

from cloudsync.model.delta import fresh, gone
from cloudsync.model.document import HostDocument


def departed(old: HostDocument, new: HostDocument) -> dict[str, bool]:
    """Addresses of entries that are not as they were: whether another instance has it now, or nobody.

    The others, which moved to another host or got another name, keep their flows.
    """
    there, came = old.directory, fresh(new.directory, old.directory)
    changed = (name for name, entry in came.items() if name in there and there[name] != entry)
    left = (*changed, *gone(new.directory, there))
    if not left:
        return {}
    now = {address: entry.uuid for entry in came.values() for address in entry.addresses}
    return {address: now.get(address) != there[name].uuid for name in left for address in there[name].addresses}
