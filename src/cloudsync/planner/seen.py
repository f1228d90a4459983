"""Instances as they are, beside the wanted instance each answers to: what documents record and what libvirt has."""

from collections.abc import Mapping
from dataclasses import dataclass

from cloudsync.model.cloud import Cloud
from cloudsync.model.resources import Instance, Power, World
from cloudsync.model.snapshot import HostState, Machine
from cloudsync.scheduler.homes import Home, find_homes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A wanted instance and what is there for it; either may be None. `host` is where it is, or is to be."""

    wanted: Instance | None
    home: Home | None
    host: HostState

    @property
    def name(self) -> str:
        """What the plan calls it."""
        if self.wanted:
            return self.wanted.name
        return self.home.name if self.home else ""

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

    @property
    def doomed(self) -> bool:
        """What is there now goes."""
        return self.home is not None and (self.wanted is None or self.replaced)

    @property
    def runs(self) -> bool:
        """A guest would notice if the machine were stopped."""
        return self.machine is not None and self.machine.power in (Power.RUNNING, Power.PAUSED)


@dataclass(frozen=True, slots=True)
class Sight:
    """`pairs` of all hosts that can be asked, in name order, and the same by host.

    `away` are homes on hosts that cannot be asked, each with the wanted instance it answers to, if any.
    """

    pairs: tuple[Pair, ...]
    on: Mapping[str, tuple[Pair, ...]]
    away: tuple[tuple[Home, str | None], ...]


def see(cloud: Cloud, desired: World, hosts: Mapping[str, HostState]) -> Sight:
    """Match wanted and existing instances."""
    homes = find_homes(cloud, hosts)
    pairs = [
        Pair(wanted=wanted, home=homes.of.get(name), host=hosts[wanted.host])
        for name, wanted in desired.instances.items()
    ]
    pairs += [Pair(wanted=None, home=home, host=hosts[home.host]) for home in homes.others if home.known]
    pairs.sort(key=lambda pair: (pair.name, pair.host.name, pair.home.uuid if pair.home else ""))
    on: dict[str, list[Pair]] = {name: [] for name in hosts}
    for pair in pairs:
        on[pair.host.name].append(pair)
    away: list[tuple[Home, str | None]] = [(home, None) for home in homes.others if not home.known]
    away += [(home, name) for name, home in homes.of.items() if not home.known and home.host in hosts]
    return Sight(tuple(pairs), {name: tuple(found) for name, found in on.items()}, tuple(away))
