"""Instances as they are, beside the wanted instance each answers to: what documents record and what libvirt has."""

from collections.abc import Mapping
from dataclasses import dataclass

from cloudsync.model.cloud import Cloud
from cloudsync.model.resources import Instance, World
from cloudsync.model.snapshot import HostState, Machine, Snapshot
from cloudsync.scheduler.homes import Home, home_of, homes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A wanted instance and what is there for it; either may be None. `host` is where the existing one is."""

    wanted: Instance | None
    home: Home | None
    host: HostState

    @property
    def record(self) -> Instance | None:
        return self.home.record if self.home else None

    @property
    def machine(self) -> Machine | None:
        return self.home.machine if self.home else None

    @property
    def has_disk(self) -> bool:
        return self.home is not None and self.home.uuid in self.host.disks

    @property
    def replaced(self) -> bool:
        return self.wanted is not None and self.home is not None and self.wanted.uuid != self.home.uuid


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """`pairs` of all reachable instances in name order; `away` are homes on hosts that cannot be asked."""

    pairs: tuple[Pair, ...]
    away: Mapping[str, Home]


def see(cloud: Cloud, desired: World, snapshot: Snapshot) -> Sight:
    """Match wanted and existing instances."""
    existing = homes(snapshot)
    matched = {name: home_of(cloud.instances[name], cloud, existing) for name in desired.instances}
    answered = {home.name for home in matched.values() if home}
    pairs = [
        Pair(wanted=wanted, home=matched[name], host=snapshot.hosts[wanted.host])
        for name, wanted in desired.instances.items()
    ]
    pairs += [
        Pair(wanted=None, home=home, host=snapshot.hosts[home.host])
        for name, home in existing.items()
        if home.known and name not in answered
    ]
    away = {name: home for name, home in existing.items() if not home.known}
    return Sight(pairs=tuple(sorted(pairs, key=_name)), away=away)


def _name(pair: Pair) -> str:
    if pair.wanted:
        return pair.wanted.name
    return pair.home.name if pair.home else ""
