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
from cloudsync.model.snapshot import HostState
from cloudsync.pipeline import observe


@dataclass(frozen=True, slots=True)
class Found:
    """An instance, where it is, and the way to its host."""

    cloud: Cloud
    instance: Instance
    host: HostState
    driver: Driver


@contextmanager
def found(path: Path, name: str) -> Iterator[Found]:
    """The instance called `name` (the kind may be left out); an error that names the near ones."""
    from cloudsync.spec.load import load

    bare = name.removeprefix("instance.")
    cloud = load(path)
    with Fleet.open(cloud) as fleet:
        snapshot = observe(fleet)
        known: set[str] = set()
        for host in snapshot.hosts.values():
            instances = host.document.instances if host.document else {}
            if bare in instances:
                yield Found(cloud, instances[bare], host, fleet.drivers[host.name])
                return
            known |= set(instances)
    raise CloudsyncError(f"there is no instance {bare!r}", f"there are: {', '.join(sorted(known)) or 'none yet'}")
