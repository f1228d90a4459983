"""`--metrics ADDRESS:PORT` into what can be listened at."""

from ipaddress import ip_address

from cloudsync.model.problem import CloudsyncError
from cloudsync.spec.words import printable


def readers(written: str) -> tuple[str, int]:
    """The address has to be written down: who may read metrics is decided by where they are. CloudsyncError."""
    address, colon, port = written.rpartition(":")
    bare = address.removeprefix("[").removesuffix("]") if address.startswith("[") else address
    try:
        if not colon or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
            raise ValueError
        found = ip_address(bare)
        if (found.version == 6) != (bare != address):
            raise ValueError
    except ValueError:
        raise CloudsyncError(
            f"{printable(written)!r} is not ADDRESS:PORT", "for example 127.0.0.1:9477, or [::1]:9477"
        ) from None
    return str(found), int(port)
