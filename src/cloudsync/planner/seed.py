"""The user-data that an instance was first booted with, where that is not what it has now: cloud-init runs only once.

Pure; called by resolve.py.
"""

from cloudsync.model.document import Applied
from cloudsync.model.resources import Digest, Power, Seed
from cloudsync.model.snapshot import HostState
from cloudsync.scheduler.homes import Home


def seed(user_data: Digest | None, home: Home | None, host: HostState) -> Seed | None:
    """What stays of it when the instance at `home` on `host` is given `user_data`; None when it boots, or was booted,
    with that."""
    record = home.record if home else None
    if home is None or record is None or not _has_booted(home, host):
        return None
    applied = host.document.applied if host.document else Applied()
    first = record.seed or Seed(user_data=record.user_data, commit=applied.commit, at=applied.at)
    return None if first.user_data == user_data else first


def _has_booted(home: Home, host: HostState) -> bool:
    """Its host tells of every machine that was started once."""
    return home.uuid in host.boots or (home.machine is not None and home.machine.power is not Power.STOPPED)
