"""What of a cloud is other than its last apply left it: the planner's drift, with what is on record in place of what
the spec wants. Pure; `status` asks, which plans nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.resources import Instance, World
from cloudsync.model.snapshot import Drift, HostState
from cloudsync.planner.act import Act, act
from cloudsync.planner.drift import LEFT, NO_RECORD, drift
from cloudsync.planner.held import as_recorded, paused_key
from cloudsync.planner.seen import see
from cloudsync.planner.unfinished import interrupted, unfinished
from cloudsync.scheduler.homes import Home, apart

SPARED = f"{LEFT}: the spec says `paused: true`"


class Adrift:
    """`found` is in the order of hosts, addresses and messages."""

    def __init__(self, cloud: Cloud, hosts: Mapping[str, HostState]) -> None:
        homes = apart(hosts)[0]
        # Each where it is, which is not where its record says while it moves.
        records = {home.name: replace(home.record, host=home.host) for home in homes if home.record}
        documents = [host.document for host in hosts.values() if host.reachable and host.document]
        networks = {name: one for document in documents for name, one in document.networks.items()}
        as_is = replace(cloud, instances={name: as_recorded(one, name) for name, one in records.items()}, evacuate=())
        sight = see(as_is, World(instances=records), hosts)
        found = (*drift(sight, hosts, networks), *_unrecorded(cloud, homes))
        self.found = tuple(_spared(cloud, one) for one in sorted(found, key=_order))
        self._unfinished = {
            pair.home.uuid
            for pair in sight.pairs
            if pair.home and (unfinished(pair) or (interrupted(pair) and act(pair, networks) is not Act.NOTHING))
        }
        self._of: dict[tuple[str, str], list[Drift]] = {}
        self._on: dict[str, list[Drift]] = {}
        for one in self.found:
            self._on.setdefault(one.host, []).append(one)
            self._of.setdefault((one.host, one.address), []).append(one)

    def of(self, host: str, instance: Instance) -> tuple[Drift, ...]:
        """What is other there than its record."""
        return tuple(self._of.get((host, f"instance.{instance.name}"), ()))

    def on(self, host: str) -> tuple[Drift, ...]:
        return tuple(self._on.get(host, ()))

    def unfinished(self, instance: Instance) -> bool:
        """Whether an apply that was cut off says why it is not as its record says."""
        return instance.uuid in self._unfinished


def _unrecorded(cloud: Cloud, homes: Iterable[Home]) -> Iterator[Drift]:
    for home in homes:
        if home.machine and home.record is None and home.name in cloud.instances:
            yield Drift(address=f"instance.{home.name}", host=home.host, message=NO_RECORD)


def _order(one: Drift) -> tuple[str, str, str]:
    return (one.host, one.address, one.message)


def at_rest(cloud: Cloud, name: str) -> bool:
    """Whether the spec says `paused: true` of what has this name on record."""
    wanted = cloud.instances.get(name)
    return cloud.rests(wanted) if wanted else paused_key(cloud, name) != ""


def _spared(cloud: Cloud, one: Drift) -> Drift:
    kind, _, name = one.address.partition(".")
    return replace(one, remedy=SPARED, repaired=False) if kind == "instance" and at_rest(cloud, name) else one
