"""Names, addresses and data disks that pass from one machine to another: who has to let go before who may have it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network

from cloudsync.model.dataclass import dataclass
from cloudsync.model.resources import Instance, Network, World
from cloudsync.planner.allocate import usable
from cloudsync.planner.seen import Pair, Sight


@dataclass(frozen=True, slots=True)
class Conflicts:
    """By uuid. `early` must be gone before any document gives what they have to others; `stops` must be off first.

    `needs` maps a wanted instance to those it waits for, `takers` the other way round.
    """

    early: frozenset[str]
    stops: frozenset[str]
    needs: Mapping[str, frozenset[str]]
    takers: Mapping[str, tuple[Pair, ...]]


def conflicts(desired: World, sight: Sight) -> Conflicts:
    """Find them all."""
    early = {pair.home.uuid for pair in sight.pairs if pair.doomed and pair.home and not _fits(pair, desired.networks)}
    stops: set[str] = set()
    needs: defaultdict[str, set[str]] = defaultdict(set)
    takers: defaultdict[str, list[Pair]] = defaultdict(list)
    by_name, by_address = _holders(sight.pairs)
    by_disk = _going_with_disks(sight.pairs)
    for pair in sight.pairs:
        disks = pair.wanted.disks if pair.wanted else ()
        holding = ((holder, False) for disk in disks for holder in by_disk.get(disk.id, ()))
        for holder, answers in (*_in_its_way(pair, by_name, by_address), *holding):
            if pair.wanted and holder.home:
                if holder.doomed:
                    early.add(holder.home.uuid)
                elif answers:
                    stops.add(holder.home.uuid)
                needs[pair.wanted.uuid].add(holder.home.uuid)
                takers[holder.home.uuid].append(pair)
    return Conflicts(
        frozenset(early),
        frozenset(stops),
        {uuid: frozenset(found) for uuid, found in needs.items()},
        {uuid: tuple(found) for uuid, found in takers.items()},
    )


def _holders(pairs: Iterable[Pair]) -> tuple[dict[tuple[str, str], list[Pair]], dict[str, list[Pair]]]:
    """Who has each name on each host, and who each address, now."""
    names: defaultdict[tuple[str, str], list[Pair]] = defaultdict(list)
    addresses: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.home:
            for name in {pair.home.name, pair.machine.name if pair.machine else pair.home.name}:
                names[pair.source.name, name].append(pair)
            for address in pair.home.addresses:
                addresses[address].append(pair)
    return names, addresses


def _in_its_way(
    pair: Pair, by_name: Mapping[tuple[str, str], list[Pair]], by_address: Mapping[str, list[Pair]]
) -> Iterator[tuple[Pair, bool]]:
    """What leaves the host or the cloud and has its name, what goes and has its address, and what stays, runs, and has
    its address: with whether it is for the address."""
    wanted = pair.wanted
    if wanted is None:
        return
    for holder in by_name.get((wanted.host, wanted.name), ()):
        if (holder.doomed or holder.moves) and _other(holder, wanted):
            yield holder, False
    for address in (nic.address for nic in wanted.nics):
        for holder in by_address.get(address, ()):
            if _other(holder, wanted) and (holder.doomed or _answers_to(holder, address)):
                yield holder, True


def _going_with_disks(pairs: Iterable[Pair]) -> Mapping[str, list[Pair]]:
    """What goes and has each data disk now: QEMU lets no two machines open one."""
    found: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        for disk in pair.home.disks if pair.doomed and pair.home else ():
            found[disk.id].append(pair)
    return found


def _other(holder: Pair, wanted: Instance) -> bool:
    return holder.home is not None and holder.home.uuid != wanted.uuid


def _answers_to(holder: Pair, address: str) -> bool:
    """libvirt gives a tap its route when the machine starts: a machine that is off has none."""
    return holder.runs and holder.machine is not None and any(nic[2] == address for nic in holder.machine.nics)


def _fits(pair: Pair, networks: Mapping[str, Network]) -> bool:
    """Whether one document can hold the leaving instance beside the networks that come."""
    old = pair.source.document.networks if pair.source.document else {}
    for nic in pair.record.nics if pair.record else ():
        if nic.network in networks:
            if not usable(networks[nic.network], nic.address):
                return False
        elif nic.network not in old or overlaps(old[nic.network], networks.values()):
            return False
    return True


def overlaps(network: Network, others: Iterable[Network]) -> bool:
    """Whether its subnet shares addresses with any of `others`."""
    subnet = IPv4Network(network.subnet)
    return any(subnet.overlaps(IPv4Network(other.subnet)) for other in others)
