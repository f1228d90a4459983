"""Where instances live already, by what every document and every machine says, and which wanted instance each is."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import field, replace

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.resources import DataDisk, Instance, Power
from cloudsync.model.snapshot import HostState, Machine
from cloudsync.scheduler.latest import latest
from cloudsync.scheduler.standing import given_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """An instance that exists, by its recorded name. `record` is the document's, `machine` what libvirt has. `disks`
    are its data disks: those on record, and those that only its machine's mark knows.

    `known` is False when its host cannot be asked: then only the directory of other hosts speaks of it.
    """

    name: str
    uuid: str
    host: str
    addresses: tuple[str, ...]
    floating: tuple[str, ...] = ()
    record: Instance | None = None
    machine: Machine | None = None
    known: bool = True
    disks: tuple[DataDisk, ...] = ()


@dataclass(frozen=True, slots=True)
class Homes:
    """`of` maps wanted names to what is there for them; `others` exist and answer to nothing wanted, in name order.

    `copies` are what a move that was cut off left of an instance on another host than its own.
    `lost` maps wanted names to what the person gives up with its host, `dropped` are those that nobody wants any more.
    `spent` are UUIDs of what was given up, now or before.
    """

    of: Mapping[str, Home]
    others: tuple[Home, ...]
    copies: tuple[Home, ...] = ()
    lost: Mapping[str, Home] = field(default_factory=dict)
    dropped: tuple[Home, ...] = ()
    spent: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[Home]:
        yield from self.of.values()
        yield from self.others


@latest
def find_homes(cloud: Cloud, hosts: Mapping[str, HostState]) -> Homes:
    """Match what exists with what is wanted: by name, else by a name that it may be renamed from."""
    found, copies = apart(hosts)
    gone = given_up(hosts)
    found += _unseen(hosts, {home.uuid for home in found} | gone.keys())
    named: dict[str, Home] = {}
    for home in sorted(found, key=_surest_first):
        named.setdefault(home.name, home)
    of = {name: named[old] for name, old in heirs(cloud.instances, named).items()}
    claimed = {home.uuid for home in of.values()}
    lost = {name: home for name, home in of.items() if _is_lost(cloud, home)}
    rest = sorted((home for home in found if home.uuid not in claimed), key=lambda one: (one.name, one.host, one.uuid))
    dropped = tuple(home for home in rest if _is_lost(cloud, home))
    return Homes(
        of={name: home for name, home in of.items() if name not in lost},
        others=tuple(one for one in rest if not _is_lost(cloud, one)),
        lost=lost,
        dropped=dropped,
        copies=copies,
        spent=frozenset(gone) | {home.uuid for home in (*lost.values(), *dropped)},
    )


def _is_lost(cloud: Cloud, home: Home) -> bool:
    return not home.known and home.host in cloud.evacuate


def out_of_reach(hosts: Mapping[str, HostState]) -> tuple[Home, ...]:
    """What is, as the directories of other hosts say, on hosts that cannot be asked; in name order."""
    seen = {home.uuid for home in apart(hosts)[0]} | given_up(hosts).keys()
    return tuple(sorted(_unseen(hosts, seen), key=lambda home: home.name))


def heirs(wanted: Mapping[str, Wanted], there: Collection[str]) -> dict[str, str]:
    """Who answers to which name that is there: the same, else one that it may be renamed from and nobody else has."""
    found = {name: name for name in sorted(wanted) if name in there}
    free = set(there) - wanted.keys()
    for name in sorted(wanted.keys() - found.keys()):
        old = next((old for old in wanted[name].was if old in free), None)
        if old is not None:
            found[name] = old
            free.discard(old)
    return found


def _surest_first(home: Home) -> tuple[bool, bool, bool, str, str]:
    """Of two with one name: the one that was seen, runs here, is on record; then by host."""
    return (not home.known, home.machine is None, home.record is None, home.host, home.uuid)


def _on(host: HostState) -> Iterator[Home]:
    """What a host that answers has: its records, and machines of ours that it has no record of."""
    machines = {machine.uuid: machine for machine in host.machines.values()}
    recorded = host.document.instances if host.document else {}
    for record in recorded.values():
        machine = machines.pop(record.uuid, None)
        recorded_as = [nic.address for nic in record.nics]
        is_now = [address for _, _, address in machine.nics] if machine else []
        addresses = tuple(dict.fromkeys(recorded_as + is_now))
        yield Home(
            name=record.name,
            uuid=record.uuid,
            host=host.name,
            addresses=addresses,
            floating=record.floating,
            record=record,
            machine=machine,
            disks=_disks(record, machine),
        )
    for machine in machines.values():
        addresses = tuple(address for _, _, address in machine.nics)
        yield Home(
            name=machine.name,
            uuid=machine.uuid,
            host=host.name,
            addresses=addresses,
            machine=machine,
            disks=machine.disks,
        )


def _disks(record: Instance, machine: Machine | None) -> tuple[DataDisk, ...]:
    """A machine is written when its disks are made."""
    marked = {disk.id: disk for disk in machine.disks} if machine else {}
    if not marked:
        return record.disks
    known = [replace(disk, made=True) if disk.id in marked else disk for disk in record.disks]
    more = [disk for name, disk in marked.items() if name not in {one.id for one in known}]
    return tuple(sorted((*known, *more), key=lambda disk: disk.name))


def apart(hosts: Mapping[str, HostState]) -> tuple[list[Home], tuple[Home, ...]]:
    """One home for each instance that is seen, and the copies of it that other hosts have.

    What is about to come from a host that cannot be asked is not there yet: the directory says where it is.
    """
    at: dict[str, list[Home]] = {}
    for host in hosts.values():
        for home in _on(host) if host.reachable else ():
            at.setdefault(home.uuid, []).append(home)
    found: list[Home] = []
    copies: list[Home] = []
    for homes in at.values():
        best, *rest = sorted(homes, key=lambda home: _truest_first(home, hosts)) if len(homes) > 1 else homes
        copies += rest
        if runs(best) or not _awaited(best, hosts):
            found.append(best)
    return found, tuple(copies)


def runs(home: Home) -> bool:
    return home.machine is not None and home.machine.power is Power.RUNNING


def _truest_first(home: Home, hosts: Mapping[str, HostState]) -> tuple[bool, bool, bool, bool, str]:
    """Of two with one uuid: a move lets only one of them run, takes the machine from the source before it starts on the
    target, and switches the directory when it is done."""
    host = hosts[home.host]
    return (not runs(home), home.machine is None, origin(home, host) != "", home.uuid not in host.disks, home.host)


def origin(home: Home, host: HostState) -> str:
    """The host that it is about to come from, by this host's own directory; empty when it lives here."""
    said = _said(home, host)
    return said if said != host.name else ""


def settled(home: Home, host: HostState) -> bool:
    """Whether it has a machine there and, by that host's own directory, lives there: a move never leaves that twice."""
    return home.machine is not None and _said(home, host) == host.name


def _said(home: Home, host: HostState) -> str:
    """The host that it lives on by this host's own directory; empty where that does not know it."""
    entry = host.document.directory.get(home.record.name) if host.document and home.record else None
    return entry.host if entry and entry.uuid == home.uuid else ""


def _awaited(home: Home, hosts: Mapping[str, HostState]) -> bool:
    before = origin(home, hosts[home.host])
    return before != "" and (before not in hosts or not hosts[before].reachable)


def _oldest_first(document: HostDocument) -> tuple[str, str]:
    return (document.applied.at, document.host)


def _unseen(hosts: Mapping[str, HostState], seen: set[str]) -> list[Home]:
    """What the directories say of hosts that cannot be asked, those that the spec no longer names among them.

    The newest word counts, and so does an older one that no newer contradicts.
    """
    found: dict[str, Home] = {}
    documents = [host.document for host in hosts.values() if host.reachable and host.document]
    directories = {id(one.directory): one.directory for one in sorted(documents, key=_oldest_first)}
    for directory in directories.values():
        for name, entry in directory.items():
            there = hosts.get(entry.host)
            if entry.uuid not in seen and (there is None or not there.reachable):
                found[name] = Home(
                    name=name,
                    uuid=entry.uuid,
                    host=entry.host,
                    addresses=entry.addresses,
                    floating=entry.floating,
                    known=False,
                    disks=tuple(DataDisk(name=one, size=0, id=entry.disks[one]) for one in sorted(entry.disks)),
                )
    return list(found.values())
