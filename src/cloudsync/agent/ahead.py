"""What comes after the firewall works out its part of a document while nft, a process of its own, loads the rules.

Called by the firewall; parts.py says who goes ahead.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress

from cloudsync.model.document import HostDocument

Preparation = Callable[[HostDocument], None]


def ahead(preparations: Iterable[Preparation], document: HostDocument) -> None:
    """Whatever is wrong with a document is said when the turn comes of the part that cannot use it."""
    for prepare in preparations:
        with suppress(Exception):
            prepare(document)
