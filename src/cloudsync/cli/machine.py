"""Finding one instance by name among what is really there, for `ssh`, `logs`, `console` and power."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudsync.apply.driver import Driver
from cloudsync.hosts.fleet import Fleet
from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.resources import Instance, Power
from cloudsync.model.snapshot import HostState, Snapshot
from cloudsync.pipeline import observe
from cloudsync.render.status import why_not
from cloudsync.scheduler.homes import apart, out_of_reach
from cloudsync.spec.words import quote


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


def need_running(path: Path, machine: Found) -> None:
    """An error that says what it is instead, and the way out."""
    there = machine.host.machines.get(machine.instance.uuid)
    name, state = machine.instance.name, there.power.value if there else "not there yet"
    if there is not None and there.power is Power.RUNNING:
        return
    if there is not None and machine.instance.state is Power.STOPPED:
        raise CloudsyncError(
            f"{name} is {state}, as the spec has it", "take `state: stopped` out of the spec, and apply"
        )
    raise CloudsyncError(f"{name} is {state}", f"the next apply sees to that: cloudsync -f {path} apply")


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
            f"no host that answers knows an instance {quote(name)}\n  " + "\n  ".join(silent),
            hint,
        )
    return CloudsyncError(f"there is no instance {quote(name)}", hint)
