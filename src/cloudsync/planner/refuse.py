"""What a plan never does: all of it at once, with the place in the spec."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network

from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import Problem, SpecError
from cloudsync.model.resources import Instance
from cloudsync.model.size import size
from cloudsync.model.snapshot import HostState, Machine
from cloudsync.planner.allocate import usable
from cloudsync.planner.disks import carried, missing
from cloudsync.planner.hosts import apart
from cloudsync.planner.seen import Pair, Sight
from cloudsync.planner.unfinished import unfinished
from cloudsync.scheduler.filters import raw_size
from cloudsync.scheduler.homes import runs, settled
from cloudsync.scheduler.room import Room


def refuse(cloud: Cloud, sight: Sight, hosts: Mapping[str, HostState], others: Iterable[Problem]) -> None:
    """Raise SpecError when a change is one that is never made, or there are `others`."""
    problems = [problem for pair in sight.pairs for check in CHECKS if (problem := check(cloud, pair))]
    for name in hosts:
        problems += _grown(cloud, sight.on[name], hosts[name])
        problems += _overlapping(cloud, hosts[name])
    problems += apart(cloud, hosts)
    problems += _held(cloud, sight)
    problems += _kept(cloud, sight)
    problems += _hosts_own(cloud, sight, hosts)
    problems += _twice(cloud, sight, hosts)
    problems += others
    if problems:
        raise SpecError(problems)


def _protected(cloud: Cloud, pair: Pair) -> Problem | None:
    if pair.lost and pair.wanted and pair.wanted.protect:
        text = f"instance.{pair.name} is protected and would be made anew without its data"
        return _problem(cloud, pair, text, f"wait for host.{pair.lost.host}, or write `protect: false`")
    if pair.wanted and pair.going and not pair.replaced and _guarded(pair):
        names = ", ".join(disk.name for disk in pair.going)
        text = f"instance.{pair.name} is protected and would lose its data disk{'s' * (len(pair.going) > 1)} {names}"
        return _problem(cloud, pair, text, "write it back, or apply `protect: false` first")
    if not _guarded(pair) or not pair.doomed:
        return None
    verb = "deleted" if pair.wanted is None else "replaced"
    name = pair.home.name if pair.home else pair.name
    return _problem(cloud, pair, f"instance.{name} is protected and would be {verb}", "apply `protect: false` first")


def _guarded(pair: Pair) -> bool:
    return any(one is not None and one.protect for one in (pair.record, pair.wanted))


def _paused(cloud: Cloud, pair: Pair) -> Problem | None:
    """What the spec says waits; what a person says is refused."""
    if pair.lost is None or pair.wanted is None or cloud.instances[pair.wanted.name].base not in cloud.paused:
        return None
    text = f"instance.{pair.name} is paused and would be made anew without its data"
    return _problem(cloud, pair, text, f"wait for host.{pair.lost.host}, or write `paused: false`")


def _shrunk(cloud: Cloud, pair: Pair) -> Problem | None:
    if pair.wanted is None or pair.home is None or pair.replaced or (unfinished(pair) and not pair.has_disk):
        return None
    has = pair.record.disk if pair.record else pair.machine.disk if pair.machine else 0
    if pair.wanted.disk >= has:
        return None
    text = f"instance.{pair.wanted.name}'s disk is {size(has)}: it cannot shrink to {size(pair.wanted.disk)}"
    return _problem(cloud, pair, text, "use a flavor with a larger disk, or make a new instance and move the data")


def _data_shrunk(cloud: Cloud, pair: Pair) -> Problem | None:
    held = [disk for disk in pair.disks if disk.made or disk.id in pair.source.data]
    has = {disk.id: max(disk.size, pair.source.data.get(disk.id, 0)) for disk in held}
    for disk in pair.wanted.disks if pair.wanted else ():
        if disk.size < has.get(disk.id, 0):
            text = f"instance.{pair.name}'s disk {disk.name} is {size(has[disk.id])}: it cannot shrink to "
            hint = "write the size that it has, or add a smaller one and move the data"
            return _problem(cloud, pair, text + size(disk.size), hint)
    return None


def _data_gone(cloud: Cloud, pair: Pair) -> Problem | None:
    """Only a machine that is there can be left alone: it may still have it open."""
    gone = missing(pair)
    ids = {disk.id for disk in pair.disks if disk.made}
    more = [disk.name for disk in (pair.wanted.disks if pair.wanted else ()) if disk.id not in ids]
    root = pair.machine is not None and not (pair.has_disk or pair.replaced)
    if not (gone or (root and more)) or (pair.machine and not (pair.moves or pair.replaced or more)):
        return None
    what = f"data disk {gone[0].name} ({gone[0].id}.data.qcow2)" if gone else "root disk"
    text = f"instance.{pair.name}'s {what} is gone from host.{pair.source.name}: nothing is made of it"
    return _problem(cloud, pair, text, "put the file back, or take its line out of the spec first, which gives it up")


def _data_elsewhere(cloud: Cloud, pair: Pair) -> Problem | None:
    if pair.moves or pair.host.name == pair.source.name or not carried(pair):
        return None
    text = f"instance.{pair.name} is to be made on host.{pair.host.name}, and its data disks are on host."
    hint = f"have it made there first (placement: {{host: {pair.source.name}}}), or move it first, as it is"
    return _problem(cloud, pair, f"{text}{pair.source.name}", hint)


def _moved(cloud: Cloud, pair: Pair) -> Problem | None:
    """What runs on a disk that has lost its name, or on another, still has its data, and only there."""
    another = pair.machine is not None and pair.machine.traces.disk
    if not pair.moves or (pair.has_disk and not another):
        return None
    why = "it runs on another disk" if another else "its disk is gone"
    text = f"instance.{pair.name} is to move from host.{pair.source.name}, where {why}"
    return _problem(
        cloud, pair, text, f"keep it there (placement: {{host: {pair.source.name}}}) until its data is safe"
    )


def _shut_out(cloud: Cloud, pair: Pair) -> Problem | None:
    """Libvirt has no name twice. What is new is placed on another host; what lives here has no other."""
    wanted, machine, host = pair.wanted, pair.machine, pair.host
    if wanted is None or pair.held or wanted.name not in host.foreign_names:
        return None
    going = {one.name for one in host.stale.values()} if host.name in cloud.evacuate else set()
    if wanted.name in going or (machine and machine.name == wanted.name and not pair.moves):
        return None
    what = "take that name" if machine and not pair.moves else "be made there"
    text = f"instance.{wanted.name} cannot {what}: host.{host.name} has a machine called {wanted.name} that is not ours"
    return _problem(cloud, pair, text, f"take another name, or rename it there: virsh domrename {wanted.name} NEW")


def _grown(cloud: Cloud, pairs: tuple[Pair, ...], host: HostState) -> Iterator[Problem]:
    """In place means on this host: what grows must fit here, and no single one may exceed the physical host."""
    room = Room.of(cloud.hosts[host.name], host)
    for pair in pairs:
        if pair.wanted:
            room.take(cloud.instances[pair.wanted.name])
    for pair in pairs:
        before = pair.record or pair.machine
        if pair.wanted and before and not (pair.replaced or pair.moves):
            why = _too_much(pair.wanted, before, room) or raw_size(cloud, cloud.instances[pair.wanted.name], room)
            if why and _grows(pair.wanted, before):
                text = f"instance.{pair.name} cannot grow to {pair.wanted.flavor} on host.{host.name}: {why}"
                yield _problem(cloud, pair, text, "take a smaller flavor, or make room on that host")


def _grows(wanted: Instance, before: Instance | Machine) -> bool:
    return wanted.vcpus > before.vcpus or wanted.memory > before.memory or _storage(wanted) > _storage(before)


def _storage(one: Instance | Machine) -> int:
    return one.disk + sum(disk.size for disk in one.disks)


def _too_much(wanted: Instance, before: Instance | Machine, room: Room) -> str:
    """By how much the host would be overfull in what grows; empty when it is not."""
    if wanted.vcpus > before.vcpus and room.vcpus > room.limit.vcpus:
        return f"{room.vcpus - room.limit.vcpus} vCPUs too many"
    if wanted.memory > before.memory and room.memory > room.limit.memory:
        return f"{size(room.memory - room.limit.memory)} of memory too much"
    if _storage(wanted) > _storage(before) and room.disk > room.limit.disk:
        return f"{size(room.disk - room.limit.disk)} of disk too much"
    return ""


def _held(cloud: Cloud, sight: Sight) -> Iterator[Problem]:
    """An address that something on a host out of reach may still have cannot be given to another."""
    away = {address: home for home, _ in sight.away for address in home.addresses}
    away |= {address: home for home, _ in sight.away for address in home.floating}
    for pair in sight.pairs:
        wanted = (*(nic.address for nic in pair.wanted.nics), *pair.wanted.floating) if pair.wanted else ()
        for address in wanted:
            if address in away:
                home = away[address]
                text = f"instance.{pair.name} is to have {address}, which instance.{home.name} has on host.{home.host}"
                yield _problem(
                    cloud, pair, f"{text}: that host cannot be asked", "take another address, or wait for it"
                )


def _kept(cloud: Cloud, sight: Sight) -> Iterator[Problem]:
    """What nothing may touch keeps its addresses, and its networks have to go on as they are."""
    kept = {address: pair for pair in sight.pairs if pair.held and pair.wanted for address in _addresses(pair.wanted)}
    for pair in sight.pairs if kept else ():
        for address in _addresses(pair.wanted) if pair.wanted and not pair.held else ():
            if address in kept:
                text = (
                    f"instance.{pair.name} is to have {address}, which instance.{kept[address].name} has: it is paused"
                )
                yield _problem(cloud, pair, text, "take another address, or `paused` out of the other one")
        for nic in pair.wanted.nics if pair.wanted and pair.held else ():
            network = cloud.networks[nic.network]
            if not usable(network, nic.address):
                text = (
                    f"instance.{pair.name} is paused, and {network.subnet} of network.{network.name} does not have its "
                )
                yield _problem(cloud, pair, f"{text}address {nic.address} for it", "leave the network, or take it out")


def _addresses(one: Instance) -> tuple[str, ...]:
    return (*(nic.address for nic in one.nics), *one.floating)


def _overlapping(cloud: Cloud, host: HostState) -> Iterator[Problem]:
    """A host would reach what is there no more: its guards and routes cut it off."""
    there = host.document.networks if host.document else {}
    for name, network in cloud.networks.items():
        known = name in there and there[name].subnet == network.subnet
        for taken in () if known else host.occupied:
            if IPv4Network(network.subnet).overlaps(IPv4Network(taken.subnet)):
                address = f"network.{name}"
                text = f"{address}: its subnet {network.subnet} overlaps {taken.subnet}, which host.{host.name} has"
                yield Problem(
                    message=f"{text} on {taken.device}",
                    hint="take a subnet that is used nowhere else",
                    place=cloud.places.get(address),
                )


def _hosts_own(cloud: Cloud, sight: Sight, hosts: Mapping[str, HostState]) -> Iterator[Problem]:
    """Translating an address of a host would take that host off the net."""
    own = {taken.address: (name, taken.device) for name, host in hosts.items() for taken in host.occupied}
    for pair in sight.pairs:
        for address in pair.wanted.floating if pair.wanted else ():
            if address in own:
                name, device = own[address]
                text = f"instance.{pair.name}: its floating address {address} is host.{name}'s own, on {device}"
                yield _problem(cloud, pair, text, "take an address that nobody has")


def _twice(cloud: Cloud, sight: Sight, hosts: Mapping[str, HostState]) -> Iterator[Problem]:
    """A move never lets two run and never leaves two whole: somebody started one by hand, or two applies that reached
    different hosts made one each. Which has the data that counts is for people to say."""
    whole = {pair.home.uuid: pair for pair in sight.pairs if pair.home and pair.machine}
    for copy in sight.copies:
        pair = whole.get(copy.uuid)
        if pair is None:
            continue
        where = f"on host.{pair.source.name} and on host.{copy.host}"
        if pair.runs and runs(copy):
            hint = f"stop the one to lose: virsh destroy {pair.name}, on its host"
            yield _problem(cloud, pair, f"instance.{pair.name} runs {where}", hint)
        elif settled(copy, hosts[copy.host]):
            hint = f"give one up: virsh undefine {pair.name}, on its host; the next apply removes its disks there"
            yield _problem(cloud, pair, f"instance.{pair.name} is {where}, with a disk of its own on each", hint)


def _problem(cloud: Cloud, pair: Pair, message: str, hint: str) -> Problem:
    return Problem(message=message, hint=hint, place=cloud.places.get(f"instance.{pair.name}") if pair.wanted else None)


CHECKS = (_protected, _paused, _shrunk, _data_shrunk, _data_gone, _data_elsewhere, _moved, _shut_out)
