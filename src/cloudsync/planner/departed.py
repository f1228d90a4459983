"""What was given up with a host that was silent, and what is done when the host is back: stopped first, removed when
the person says so. Pure; make.py and documents.py ask here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.document import GivenUp
from cloudsync.model.plan import Action, Change, Disruption, Field
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.resources import Instance, Power
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot, Stale
from cloudsync.model.step import DeleteInstance, Step, StopInstance
from cloudsync.planner import disks, show
from cloudsync.planner.seen import Pair, Sight
from cloudsync.scheduler.homes import Home
from cloudsync.scheduler.standing import given_up, standing
from cloudsync.spec.words import some

COPY = "copy"
"""The field of a change that says how a copy which was given up is, and how it is left."""
_GRACE = 10.0
"""Seconds for a guest to end by itself, while another may answer to its address."""


def confirm_lost(cloud: Cloud, snapshot: Snapshot) -> None:
    """CloudsyncError unless each host to be given up is silent, or has copies left that were given up before."""
    if not cloud.evacuate:
        return
    hosts = standing(cloud, snapshot)
    witnesses = [host.document for host in hosts.values() if host.reachable and host.document]
    known = {entry.host for document in witnesses for entry in document.directory.values()}
    for name in cloud.evacuate:
        host = hosts.get(name)
        if host is None and name not in known:
            raise CloudsyncError(f"there is no host.{name}", f"the hosts are {', '.join(hosts)}")
        if host is not None and host.reachable and not host.stale:
            raise CloudsyncError(
                f"host.{name} answers: nothing on it is lost", "only a host that is unreachable can be given up"
            )
        if host is not None and host.awake:
            hint = "mend that; where that cannot be, switch the machine off first: then it can be given up"
            raise CloudsyncError(f"host.{name} is up, and its guests may run: {host.reason}", hint)
        if host is not None and host.status in (HostStatus.FOREIGN, HostStatus.UNFIT):
            raise CloudsyncError(f"host.{name} answers, and is {host.status.value}: {host.reason}", "mend that first")
        if not witnesses:
            raise CloudsyncError(
                f"no host that answers knows what runs on host.{name}", "bring back one that was applied to"
            )


def departed(cloud: Cloud, sight: Sight, hosts: Mapping[str, HostState]) -> dict[str, GivenUp]:
    """What every document names: all that is given up, less what is seen to be gone or is removed now."""
    found = {home.uuid: GivenUp(name=home.name, host=home.host) for home in sight.lost}
    for uuid, one in given_up(hosts).items():
        host = hosts.get(one.host)
        answers = host is not None and host.reachable
        if not answers or (host and uuid in host.stale and not _removed(cloud, host)):
            found[uuid] = one
    return dict(sorted(found.items()))


def first(cloud: Cloud, hosts: Mapping[str, HostState], steps: Iterable[Step]) -> tuple[Step, ...]:
    """`steps`, after those that stop or remove what was given up: nothing is done while it may still run."""
    mine = tuple(_steps(cloud, hosts))
    ids = tuple(step.id for step in mine)
    return mine + tuple(replace(step, waits_for=(*ids, *step.waits_for)) if ids else step for step in steps)


def changes(cloud: Cloud, hosts: Mapping[str, HostState], sight: Sight) -> Iterator[Change]:
    """Of what is given up now and nobody wants, and of what is left of earlier ones."""
    for home in sight.dropped:
        yield _lost(f"instance.{home.name}", Action.DELETE, home, ())
    for name, host in hosts.items():
        for one in host.stale.values():
            if _removed(cloud, host):
                yield _change(name, one, Action.DELETE, "its copy is removed", _disks(one))
            elif not one.rests:
                yield _change(name, one, Action.UPDATE, "the copy that was given up is stopped", ())


def stops_copy(change: Change) -> bool:
    """Whether all that it disturbs is a copy which a person gave up, and whose addresses another has by now."""
    return change.action is Action.UPDATE and any(field.path == COPY for field in change.fields)


def rebuilt(pair: Pair, wanted: Instance, home: Home) -> Change:
    """A wanted instance whose host is given up. Of what it was, the directory has name and addresses."""
    known = (
        ("name", home.name, wanted.name),
        ("host", home.host, pair.host.name),
        ("address", " ".join(home.addresses), show.addresses(wanted)),
        ("floating_ip", " ".join(home.floating), show.floating(wanted)),
    )
    fields = tuple(Field(path=path, before=was or None, after=now or None) for path, was, now in known if was != now)
    return replace(_lost(f"instance.{wanted.name}", Action.REPLACE, home, fields), hosts=(pair.host.name,))


def warnings(cloud: Cloud, hosts: Mapping[str, HostState]) -> Iterator[str]:
    """Of copies that rest, and wait for a word."""
    for name, host in hosts.items():
        names = sorted(one.name for one in host.stale.values() if one.rests)
        if names and not _removed(cloud, host):
            yield (
                f"host.{name} has the copy that was given up of {', '.join(names)}, stopped: look at what is to be "
                f"kept, then remove it with `cloudsync apply --evacuate {name} --allow-destroy`"
            )


def left_behind(hosts: Mapping[str, HostState], sight: Sight) -> Iterator[str]:
    """Of hosts that left the spec with something on them: it may run there, whatever the spec says."""
    there: dict[str, list[str]] = {}
    for home, _ in sight.away:
        if home.host not in hosts:
            there.setdefault(home.host, []).append(home.name)
    for host, names in sorted(there.items()):
        verb = "is" if len(names) == 1 else "are"
        yield (
            f"host.{host} is not in the spec any more, and was not emptied: {some(sorted(names))} {verb} still there; "
            f"put its line back and run `cloudsync host drain {host}` before you take it out; if it is lost for good, "
            f"give it up with `cloudsync apply --evacuate {host} --allow-destroy`: what runs there goes on with the "
            "same addresses until somebody switches it off"
        )


def remains(cloud: Cloud, host: HostState) -> frozenset[str] | None:
    """Images that copies stand on which stay; None when a disk does not tell."""
    if _removed(cloud, host):
        return frozenset()
    if any(one.has_disk and one.machine is None for one in host.stale.values()):
        return None
    return frozenset(one.machine.image for one in host.stale.values() if one.machine)


def _removed(cloud: Cloud, host: HostState) -> bool:
    """The person has said so, or the whole cloud goes."""
    return host.name in cloud.evacuate or cloud.going


def _steps(cloud: Cloud, hosts: Mapping[str, HostState]) -> Iterator[StopInstance | DeleteInstance]:
    for name, host in hosts.items():
        for uuid, one in host.stale.items():
            address = f"instance.{one.name}"
            step_id = f"{name}/{address}/given-up-{uuid[:8]}"
            if _removed(cloud, host):
                data = tuple(disk.id for disk in one.data)
                yield DeleteInstance(id=step_id, host=name, address=address, uuid=uuid, disks=data)
            elif not one.rests:
                yield StopInstance(id=step_id, host=name, address=address, uuid=uuid, grace=_GRACE, for_good=True)


def _disks(one: Stale) -> tuple[str, ...]:
    return ((disks.ROOT,) if one.has_disk else ()) + tuple(disk.name for disk in one.data)


def _change(host: str, one: Stale, action: Action, why: str, destroyed: tuple[str, ...]) -> Change:
    power = one.machine.power if one.machine else Power.STOPPED
    runs = power in (Power.RUNNING, Power.PAUSED)
    stopped = Field(path=COPY, before=power.value, after=Power.STOPPED.value)
    return Change(
        address=f"instance.{one.name}",
        action=action,
        fields=(stopped,) if runs and action is Action.UPDATE else (),
        reasons=(f"{why}: it was made anew while host.{host} could not be asked",),
        hosts=(host,),
        destroys_data=bool(destroyed),
        disks=destroyed,
        disruption=Disruption.DESTROYS_DATA if destroyed else Disruption.RESTART if runs else Disruption.NONE,
        before=one.machine.power.value if one.machine else "",
    )


def _lost(address: str, action: Action, home: Home, fields: tuple[Field, ...]) -> Change:
    names = (disks.ROOT, *(disk.name for disk in home.disks))
    what = "the disk there" if len(names) == 1 else f"its disks there ({', '.join(names)})"
    return Change(
        address=address,
        action=action,
        fields=fields,
        reasons=(f"host.{home.host} is given up, and {what} with it",),
        hosts=(home.host,),
        destroys_data=True,
        disks=names,
        disruption=Disruption.DESTROYS_DATA,
        before=home.uuid,
    )
