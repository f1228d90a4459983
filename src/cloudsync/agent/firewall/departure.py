"""Addresses that instances anywhere in the cloud have left, from one document to the next (pure).

Whose flows were cut when it left leaves none to whoever gets the address later.
"""

from cloudsync.model.delta import fresh
from cloudsync.model.document import HostDocument


def departed(old: HostDocument, new: HostDocument) -> dict[str, bool]:
    """Addresses of entries that are not as they were: whether another instance has it now, or nobody.

    The others, which moved to another host or got another name, keep their flows.
    """
    now = {address: entry.uuid for _, entry in fresh(new.directory, old.directory) for address in entry.addresses}
    return {
        address: now.get(address) != entry.uuid
        for name, entry in fresh(old.directory, new.directory)
        for address in entry.addresses
        if entry != new.directory.get(name)
    }
