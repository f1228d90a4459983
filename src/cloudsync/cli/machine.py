"""Finding one instance by name among what is really there, for `ssh` and `logs`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloudsync.apply.driver import Driver
from cloudsync.hosts.fleet import Fleet
from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.resources import Instance
from cloudsync.model.snapshot import HostState, Snapshot
from cloudsync.pipeline import observe
from cloudsync.render.status import why_not
from cloudsync.scheduler.homes import apart, out_of_reach


@dataclass(frozen=True, slots=True)
class Found:
    """An instance, where it is, and the way to its host."""

    cloud: Cloud
    instance: Instance
    host: HostState
    driver: Driver


@contextmanager
def found(path: Path, name: str) -> Iterator[Found]:
    """The instance called `name` (the kind may be left out); an error that says where it is, or names the near ones."""
    from cloudsync.spec.load import load

    bare = name.removeprefix("instance.")
    cloud = load(path)
    with Fleet.open(cloud) as fleet:
        snapshot = observe(fleet)
        for home in apart(snapshot.hosts)[0]:
            if home.record and home.record.name == bare:
                yield Found(cloud, home.record, snapshot.hosts[home.host], fleet.drivers[home.host])
                return
    raise _not_found(bare, snapshot)


def _not_found(name: str, snapshot: Snapshot) -> CloudsyncError:
    """What cannot be asked is unknown: only a directory that names another host tells that it is there."""
    away = {home.name: home.host for home in out_of_reach(snapshot.hosts)}
    if name in away:
        return CloudsyncError(
            f"{name} is on {why_not(snapshot.hosts, away[name])}", "mend that host, then run this again"
        )
    silent = [why_not(snapshot.hosts, host.name) for host in snapshot.hosts.values() if not host.reachable]
    documents = [host.document for host in snapshot.hosts.values() if host.document]
    known = sorted({one for document in documents for one in document.instances} | away.keys())
    hint = f"there are: {', '.join(known)}" if known else "there are none yet"
    if silent:
        return CloudsyncError(
            f"no host that answers knows an instance {name!r}\n  " + "\n  ".join(silent),
            hint,
        )
    return CloudsyncError(f"there is no instance {name!r}", hint)
