"""What of a pool's file system stays free: an image comes in only where this is left. The scheduler, the plan, and all
ways by which one arrives ask here. Pure."""

from cloudsync.model.size import size

SPARE = 64 << 20
"""Bytes. A file system without any cannot even be tidied up."""


def shortage(needed: int, free: int) -> str:
    """What does not fit into `free` bytes, with numbers; empty when an image of `needed` bytes may come in."""
    if needed + SPARE <= free:
        return ""
    more = f"the image needs {size(needed)} more and " if needed else ""
    return f"{more}{size(SPARE)} must stay free, free are {size(free)}"
