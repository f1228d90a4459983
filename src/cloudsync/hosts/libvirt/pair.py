"""Two hosts' libvirt at once, for what goes from one to the other: an error names the host that it is about.

Called by migrate.py and volume.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cloudsync.hosts.ask import Ask
from cloudsync.hosts.libvirt.connection import Connection, explain, lv
from cloudsync.model.problem import CloudsyncError, HostError

_PATIENCE = 5.0
"""Seconds in which a host that is there says so: the socket to one that died may stay open longer."""


@contextmanager
def between(source: Connection, target: Connection, what: str) -> Iterator[tuple[Any, Any]]:
    """Both virConnects; `what` the target does with what comes ("take in the disk D").

    libvirt reports what broke on either in the words of the call that noticed, so both are asked afterwards.
    """
    raw, goal = source.raw, target.raw
    try:
        yield raw, goal
    except lv.libvirtError as error:
        what = f"{what} from host {source.host}"
        for end, held in ((source, raw), (target, goal)):
            if not _answers(end, held):
                raise _gone(end.host, f"host {target.host} could not {what}") from error
        raise explain(target.host, what, error) from error


def _answers(end: Connection, held: Any) -> bool:
    ask = Ask(f"libvirt of host {end.host}", lambda: bool(held.isAlive()) and held.getLibVersion() > 0)
    try:
        return ask.answer(_PATIENCE)
    except (CloudsyncError, lv.libvirtError):
        return False


def _gone(host: str, what: str) -> HostError:
    return HostError(
        f"host {host} went away in the middle of it: {what}",
        "look at that machine; when it is back, apply again: what was begun is finished or undone",
    )
