"""What would become of a host's instances if it died: placed again on the rest, by the same rules, the rest staying."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Placement, Unplaced
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot
from cloudsync.scheduler.batch import Batch
from cloudsync.scheduler.homes import find_homes
from cloudsync.scheduler.place import find
from cloudsync.scheduler.standing import standing
from cloudsync.scheduler.unit import units

Answer = TypeVar("Answer", Placement, Unplaced)
Where = Mapping[str, str]
"""Instances and their hosts."""


@dataclass(frozen=True, slots=True)
class Loss:
    """`homes` are where its instances would go, `homeless` those that no other host could take; in name order."""

    host: str
    homes: tuple[Placement, ...]
    homeless: tuple[Unplaced, ...]


def living(cloud: Cloud, snapshot: Snapshot) -> dict[str, str]:
    """Where every wanted instance that exists is."""
    homes = find_homes(cloud, standing(cloud, snapshot))
    return {name: home.host for name, home in homes.of.items() if home.host in cloud.hosts}


def lost(cloud: Cloud, snapshot: Snapshot, where: Where, host: str) -> Loss:
    """If only some of a strict group found a home, they would take it: they are not new."""
    return _lost(cloud, standing(cloud, snapshot), _by_host(cloud, where), host)


def losses(cloud: Cloud, snapshot: Snapshot, where: Where) -> Iterator[Loss]:
    """For each host that something is on, one at a time."""
    hosts, by_host = standing(cloud, snapshot), _by_host(cloud, where)
    return (_lost(cloud, hosts, by_host, host) for host in hosts if by_host.get(host))


def worst(found: Iterable[Loss]) -> Loss | None:
    """The one that leaves most without a home, the first by name of equals; None when none leaves any."""
    return max((loss for loss in found if loss.homeless), key=lambda loss: len(loss.homeless), default=None)


def _by_host(cloud: Cloud, where: Where) -> dict[str, list[Wanted]]:
    found: dict[str, list[Wanted]] = {}
    for name, host in sorted(where.items()):
        found.setdefault(host, []).append(cloud.instances[name])
    return found


def _lost(cloud: Cloud, hosts: Mapping[str, HostState], by_host: Mapping[str, list[Wanted]], host: str) -> Loss:
    dead = replace(hosts[host], status=HostStatus.UNREACHABLE)
    staying = ((one, there) for there, names in by_host.items() if there != host for one in names)
    batch = Batch(cloud, {**hosts, host: dead}, staying)
    answer = find(batch, units(cloud, by_host.get(host, ())), whole_groups=False)
    return Loss(host, tuple(_told(answer.placed, host)), tuple(_told(answer.unplaced, host)))


def _told(answers: Mapping[str, Answer], host: str) -> Iterator[Answer]:
    """In name order; each says of the dead host that it is."""
    return (replace(one, refusals={**one.refusals, host: "lost"}) for _, one in sorted(answers.items()))
