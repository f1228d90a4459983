"""Instances as they are, beside the wanted instance each answers to: what documents record and what libvirt has."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.resources import DataDisk, Instance, Power, World
from cloudsync.model.snapshot import HostState, Machine
from cloudsync.scheduler.homes import Home, Homes, find_homes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A wanted instance and what is there for it; either may be None.

    `host` is where it is to be, `source` where it is: the same unless it moves. `lost` is what the person gives up for
    it, with a host that cannot be asked. `going` are the data disks that nobody is to have any more. `held`: nothing
    may touch it, and `wanted` is what is on record.
    """

    wanted: Instance | None
    home: Home | None
    host: HostState
    source: HostState
    lost: Home | None = None
    going: tuple[DataDisk, ...] = ()
    held: bool = False

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
    def disks(self) -> tuple[DataDisk, ...]:
        """The data disks that it is known to have."""
        return self.home.disks if self.home else ()

    @property
    def has_disk(self) -> bool:
        return self.home is not None and self.home.uuid in self.source.disks

    @property
    def is_there(self) -> bool:
        """Something of it is left to delete; a run that was cut off may have left only the record, or data disks."""
        data = any(disk.id in self.source.data for disk in self.going)
        return self.machine is not None or self.has_disk or data

    @property
    def replaced(self) -> bool:
        return self.wanted is not None and self.home is not None and self.wanted.uuid != self.home.uuid

    @property
    def doomed(self) -> bool:
        """What is there now goes."""
        return self.home is not None and (self.wanted is None or self.replaced)

    @property
    def moves(self) -> bool:
        """What is there now comes to another host. A record alone is only written there."""
        elsewhere = self.wanted is not None and self.host.name != self.source.name
        return elsewhere and not self.replaced and (self.machine is not None or self.has_disk)

    @property
    def runs(self) -> bool:
        """A guest would notice if the machine were stopped."""
        return self.machine is not None and self.machine.power in (Power.RUNNING, Power.PAUSED)


@dataclass(frozen=True, slots=True)
class Sight:
    """`pairs` of all hosts that can be asked, in name order; `on` by the host where each is to be, `at` where it is.

    `copies` are what moves left behind, but not where their instance is to be. `away` are homes on hosts that cannot be
    asked or that the spec no longer names, each with the wanted instance it answers to, if any. `lost` is what the
    person gives up, `dropped` those of it that nobody wants. `strays` run, without a record or a disk of ours: what
    they hold is nowhere else.
    """

    pairs: tuple[Pair, ...]
    on: Mapping[str, tuple[Pair, ...]]
    at: Mapping[str, tuple[Pair, ...]]
    copies: tuple[Home, ...]
    away: tuple[tuple[Home, str | None], ...]
    lost: tuple[Home, ...] = ()
    dropped: tuple[Home, ...] = ()
    strays: tuple[Home, ...] = ()


def see(cloud: Cloud, desired: World, hosts: Mapping[str, HostState]) -> Sight:
    """Match wanted and existing instances."""
    homes = find_homes(cloud, hosts)
    pairs = [
        replace(
            _pair(wanted, homes.of.get(name), hosts[wanted.host], hosts, homes.lost.get(name)),
            held=name in desired.held,
        )
        for name, wanted in desired.instances.items()
    ]
    left = [_pair(None, home, hosts[home.host], hosts) for home in homes.others if home.known]
    strays = tuple(pair.home for pair in left if pair.home and _is_stray(pair))
    pairs += [pair for pair in left if not _is_stray(pair)]
    pairs.sort(key=lambda pair: (pair.name, pair.host.name, pair.home.uuid if pair.home else ""))
    pairs = _with_going(pairs, homes)
    away: list[tuple[Home, str | None]] = [(home, None) for home in homes.others if not home.known]
    away += [(home, name) for name, home in homes.of.items() if not home.known]
    on = _by(hosts, pairs, lambda pair: pair.host)
    copies = tuple(_copies(homes, pairs, hosts))
    at = _by(hosts, pairs, lambda pair: pair.source)
    lost = (*homes.lost.values(), *homes.dropped)
    return Sight(tuple(pairs), on, at, copies, tuple(away), lost, homes.dropped, strays)


def _is_stray(pair: Pair) -> bool:
    return pair.record is None and pair.runs and not pair.has_disk


def _with_going(pairs: list[Pair], homes: Homes) -> list[Pair]:
    """A disk goes once, and only if no instance is to have it, or may have it where nobody can ask."""
    kept = {disk.id for pair in pairs if pair.wanted for disk in pair.wanted.disks}
    kept |= {disk.id for home in homes if not home.known for disk in home.disks}
    found = []
    for pair in pairs:
        going = tuple(disk for disk in pair.disks if disk.id not in kept)
        kept |= {disk.id for disk in going}
        found.append(replace(pair, going=going) if going else pair)
    return found


def _copies(homes: Homes, pairs: Iterable[Pair], hosts: Mapping[str, HostState]) -> Iterator[Home]:
    """Of instances that are whole where they are: machines and disks elsewhere, but not where the instance is to be.

    Their data disks are those that the instance has where it is.
    """
    whole = {pair.home.uuid: pair for pair in pairs if pair.home and pair.has_disk and not pair.held}
    known = {(one.host, one.uuid): one for one in homes.copies}
    for host in hosts.values():
        for uuid in sorted(whole.keys() & (host.machines.keys() | host.disks)) if host.reachable else ():
            pair = whole[uuid]
            if host.name != pair.source.name and not (pair.moves and host.name == pair.host.name):
                copy = known.get((host.name, uuid), Home(name=pair.name, uuid=uuid, host=host.name, addresses=()))
                held = pair.disks
                twice = host.data.keys() & pair.source.data.keys() if held else ()
                yield replace(copy, disks=tuple(disk for disk in held if disk.id in twice))


def _pair(
    wanted: Instance | None,
    home: Home | None,
    host: HostState,
    hosts: Mapping[str, HostState],
    lost: Home | None = None,
) -> Pair:
    return Pair(wanted=wanted, home=home, host=host, source=hosts[home.host] if home else host, lost=lost)


def _by(
    hosts: Mapping[str, HostState], pairs: Iterable[Pair], where: Callable[[Pair], HostState]
) -> dict[str, tuple[Pair, ...]]:
    found: dict[str, list[Pair]] = {name: [] for name in hosts}
    for pair in pairs:
        found[where(pair).name].append(pair)
    return {name: tuple(there) for name, there in found.items()}
