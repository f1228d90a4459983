"""What comes after the firewall works out its part of a document while nft, a process of its own, loads the rules.

Called by the firewall for a script that keeps nft busy; parts.py says who goes ahead.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from cloudsync.model.document import HostDocument

Preparation = Callable[[HostDocument], None]


@contextmanager
def ahead(preparations: Iterable[Preparation], document: HostDocument) -> Iterator[None]:
    """They run meanwhile, and are over when the block is."""
    thread = Thread(target=_prepare, args=(tuple(preparations), document))
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _prepare(preparations: Iterable[Preparation], document: HostDocument) -> None:
    """Whatever is wrong with a document is said when the turn comes of the part that cannot use it."""
    for prepare in preparations:
        with suppress(Exception):
            prepare(document)
