"""What was changed outside cloudsync: a host differs from what the last apply recorded."""

from collections.abc import Iterator, Mapping

from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Disruption
from cloudsync.model.resources import Instance, Network, Power
from cloudsync.model.size import size
from cloudsync.model.snapshot import Drift, HostState, Machine, Traces
from cloudsync.planner.act import Act, act, disruption, gateways, ignored, written_as
from cloudsync.planner.disks import missing
from cloudsync.planner.seen import Pair, Sight
from cloudsync.planner.unfinished import interrupted, unfinished
from cloudsync.scheduler.homes import Home, runs, settled

LEFT = "left alone"
NO_RECORD = "its record is missing"


def drift(sight: Sight, hosts: Mapping[str, HostState], networks: Mapping[str, Network]) -> tuple[Drift, ...]:
    """Of machines and disks, and what the agents say of their hosts; by host, then address."""
    found = [one for host in hosts.values() if host.reachable for one in host.drift]
    found += [one for pair in sight.pairs if not (pair.doomed or pair.held) for one in of_pair(pair, networks)]
    found += [one for host in hosts.values() if host.reachable for one in _of_host(host, sight)]
    return tuple(sorted(found, key=lambda one: (one.host, one.address, one.message)))


def orphans(host: HostState, sight: Sight) -> frozenset[str]:
    """UUIDs of root disks that belong to no machine, record or wanted instance."""
    known = set(host.machines)
    for pair in (*sight.on[host.name], *sight.at[host.name]):
        known |= {one.uuid for one in (pair.home, pair.wanted) if one is not None}
    known |= {home.uuid for home in sight.copies if home.host == host.name}
    return frozenset(host.disks - known)


def _stray(host: HostState, sight: Sight) -> frozenset[str]:
    """Ids of data disks that belong to no record, mark or wanted instance."""
    known: set[str] = set()
    for pair in (*sight.on[host.name], *sight.at[host.name]):
        known |= {disk.id for one in (pair.home, pair.wanted) if one is not None for disk in one.disks}
    known |= {disk.id for home in sight.copies if home.host == host.name for disk in home.disks}
    return frozenset(host.data.keys() - known)


def _of_host(host: HostState, sight: Sight) -> Iterator[Drift]:
    for disk in sorted(_stray(host, sight)):
        text = f"a data disk of no instance is in the pool: {disk}.data.qcow2"
        yield Drift(address=f"host.{host.name}", host=host.name, message=text, remedy=LEFT, repaired=False)
    for uuid in sorted(orphans(host, sight)):
        text = f"a disk of no instance is in the pool: {uuid}.root.qcow2"
        yield Drift(address=f"host.{host.name}", host=host.name, message=text, remedy=LEFT, repaired=False)
    for home in sight.strays:
        if home.host == host.name:
            text = f"the machine {home.name} runs with this cloud's mark, and neither a record nor a disk is known"
            remedy = f"{LEFT}; if nobody needs it, there: virsh destroy {home.name}"
            yield Drift(address=f"host.{host.name}", host=host.name, message=text, remedy=remedy, repaired=False)
    yield from (_copy(host, home) for home in sight.copies if home.host == host.name and not runs(home))
    for name, one in sorted(host.marked.items()):
        text = f"the machine {name} is a copy of {one}, with this cloud's mark"
        remedy = f"{LEFT}; to be rid of this, take cloudsync:instance out of it there: virsh edit {name}"
        yield Drift(address=f"host.{host.name}", host=host.name, message=text, remedy=remedy, repaired=False)
    stands: dict[str, list[str]] = {}
    for pair in sight.at[host.name]:
        if pair.machine and not pair.doomed and pair.machine.image not in host.images:
            stands.setdefault(pair.machine.image, []).append(pair.name)
    for sha256, names in sorted(stands.items()):
        text = f"an image is missing under {', '.join(names)}: {sha256[:12]}"
        yield Drift(address=f"host.{host.name}", host=host.name, message=text, remedy="will be fetched again")


def _copy(host: HostState, home: Home) -> Drift:
    """What is not running of an instance that is whole on another host."""
    disk = home.uuid in host.disks or home.disks
    what = "disk" if home.uuid not in host.machines else "machine and disk" if disk else "machine"
    address = f"instance.{home.name}"
    if settled(home, host):
        text = f"it has its {what} here and on another host, and no move left that"
        return Drift(address=address, host=host.name, message=text, remedy=LEFT, repaired=False)
    text = f"a move that is under way or was cut off left its {what} here"
    return Drift(address=address, host=host.name, message=text, remedy="will be removed")


def of_pair(pair: Pair, networks: Mapping[str, Network]) -> Iterator[Drift]:
    """Of one instance and its machine."""
    record, machine, wanted = pair.record, pair.machine, pair.wanted
    if wanted is None or pair.home is None:
        return
    if record is None:
        yield _drift(pair, NO_RECORD, "will be restored")
    elif machine is None and unfinished(pair):
        return
    elif machine is None:
        kept = "on its disk" if pair.has_disk else "from its image"
        yield _drift(pair, "the machine is not there", f"will be made {kept}")
    else:
        remedies = _remedies(pair, machine, wanted, networks)
        if not interrupted(pair):
            yield from _differences(pair, record, machine, wanted, remedies)
            yield from _kept(pair, record, machine, wanted, remedies)
        yield from _traces(pair, machine, wanted, remedies)
        yield from _lost(pair, machine, remedies)
        yield from _disk(pair, record, machine, wanted, remedies)
        explained = unfinished(pair) or interrupted(pair)
        if machine.power is not record.state and record.state is wanted.state and not explained:
            yield from () if ignored(pair) else (_drift(pair, power(pair), remedies.power),)
        yield from _gateways(pair, networks, remedies)
        yield from _data(pair, record, machine, wanted)


def _data(pair: Pair, record: Instance, machine: Machine, wanted: Instance) -> Iterator[Drift]:
    """Data disks that are to stay, and what is no disk of its."""
    sizes, goals = {disk.id: disk.size for disk in machine.disks}, {disk.id: disk for disk in wanted.disks}
    gone, live = missing(pair), " (live)" if pair.runs else ""
    stuck = bool(gone or machine.traces.disk)
    for disk in gone:
        way = f"{LEFT}; put the file back, or take its line out of the spec, which gives it up"
        yield _drift(pair, f"its disk {disk.name} is gone: {disk.id}.data.qcow2", way)
    for disk in record.disks:
        goal = goals.get(disk.id)
        if goal is None or disk in gone:
            continue
        if disk.id not in machine.attached:
            yield _drift(
                pair, f"its disk {disk.name} is not attached", LEFT if stuck else f"will be attached again{live}"
            )
        elif sizes.get(disk.id, 0) not in (disk.size, goal.size):
            is_now = sizes.get(disk.id, 0)
            text = f"its disk {disk.name}: {size(is_now)}, should be {size(goal.size)}"
            yield _drift(pair, text, LEFT if stuck or is_now > goal.size else f"will be grown{live}")
    for what in machine.strange:
        if not machine.traces.disk or not what.endswith(f" {machine.traces.disk}"):
            way = f"virsh detach-disk {machine.name} {what.partition(' ')[0]} --persistent"
            text = f"a disk that is not its own is attached: {what}"
            yield _drift(pair, text, f"{LEFT}; to be rid of it, on its host: {way}")


@dataclass(frozen=True, slots=True)
class _Remedies:
    """How what a machine is is set back, what libvirt keeps of it, and whether it runs."""

    machine: str
    kept: str
    power: str


def _remedies(pair: Pair, machine: Machine, wanted: Instance, networks: Mapping[str, Network]) -> _Remedies:
    """Nothing brings a disk back; the way out has to be asked for."""
    if not pair.has_disk:
        return _Remedies(*[f"{LEFT}; to make it anew: cloudsync apply --replace instance.{pair.name}"] * 3)
    if machine.traces.disk or missing(pair):
        return _Remedies(*[f"{LEFT} until its disks are as they should be"] * 3)
    what = act(pair, networks)
    back = (
        "will be set back (restart)" if disruption(pair, what, networks) is Disruption.RESTART else "will be set back"
    )
    goes_on = machine.traces.saved or machine.power is Power.PAUSED
    verb = "will go on where it was" if goes_on and what is not Act.UPDATE else "will be started"
    return _Remedies(
        back,
        "will be set back" if what in (Act.KEEP, Act.STOP) else back,
        verb if wanted.state is Power.RUNNING else "will be stopped",
    )


def _differences(
    pair: Pair, record: Instance, machine: Machine, wanted: Instance, remedies: _Remedies
) -> Iterator[Drift]:
    if written_as(machine, record) and written_as(machine, wanted):
        return
    for what, is_now, should, goal in (
        ("its name", machine.name, record.name, wanted.name),
        ("vcpus", str(machine.vcpus), str(record.vcpus), str(wanted.vcpus)),
        ("memory", size(machine.memory), size(record.memory), size(wanted.memory)),
        ("its devices", _devices(machine.nics), _recorded(record), _recorded(wanted)),
    ):
        if is_now not in (should, goal) or (is_now != should == goal):
            yield _drift(pair, f"{what}: {is_now}, should be {goal}", remedies.machine)


def _kept(pair: Pair, record: Instance, machine: Machine, wanted: Instance, remedies: _Remedies) -> Iterator[Drift]:
    """Whether libvirt keeps it, and starts it with its host; it starts none that it does not keep."""
    if machine.traces.undefined:
        yield _drift(pair, "it was undefined: libvirt forgets it when it stops", remedies.kept)
    elif machine.autostart is not wanted.autostart and record.autostart is wanted.autostart:
        text = "it does not start" if wanted.autostart else "it is to stay stopped, and starts"
        yield _drift(pair, f"{text} with the host", remedies.kept)


def _traces(pair: Pair, machine: Machine, wanted: Instance, remedies: _Remedies) -> Iterator[Drift]:
    traces = machine.traces
    both = traces.definition == traces.running
    definition = tuple(_unwanted(traces, wanted))
    if traces.running:
        what = "its definition was changed, and it runs so" if both else "it runs with what its definition has not"
        yield _drift(pair, f"{what}: {'; '.join(traces.running)}", remedies.machine)
    if definition and not both:
        yield _drift(pair, f"its definition was changed: {'; '.join(definition)}", remedies.kept)
    if traces.saved and pair.wanted and pair.wanted.state is Power.STOPPED:
        yield _drift(pair, "its memory was saved", f"{LEFT}: it goes on there when it is started")
    if traces.snapshots:
        yield _drift(
            pair, "libvirt has a snapshot of it", f"{LEFT}: it can neither be renamed nor move before that goes"
        )


def _unwanted(traces: Traces, wanted: Instance) -> Iterator[str]:
    """All but sizes for its next start that the spec wants too."""
    sizes = (("vcpus", traces.vcpus, wanted.vcpus), ("memory", traces.memory, wanted.memory))
    meant = {name for name, kept, goal in sizes if kept == goal}
    for words in traces.definition:
        if words.partition(": ")[0] not in meant:
            yield words


def _lost(pair: Pair, machine: Machine, remedies: _Remedies) -> Iterator[Drift]:
    for number, (tap, _, _) in enumerate(machine.nics, start=1):
        if tap in machine.lost:
            text = f"network card {number} has lost its tap, {tap}: only a restart brings it back"
            yield _drift(pair, text, remedies.machine)


def _disk(pair: Pair, record: Instance, machine: Machine, wanted: Instance, remedies: _Remedies) -> Iterator[Drift]:
    if not pair.has_disk:
        yield _drift(pair, "its disk is gone", remedies.machine)
    elif machine.disk not in (record.disk, wanted.disk):
        text = f"its disk: {size(machine.disk)}, should be {size(wanted.disk)}"
        yield _drift(pair, text, remedies.machine if machine.disk < wanted.disk else LEFT)
    if machine.traces.disk:
        back = f"if that is of a snapshot, on its host: virsh blockcommit {machine.name} vda --shallow --active --pivot"
        yield _drift(pair, f"its root disk is another file: {machine.traces.disk}", f"{LEFT}; {back}")


def power(pair: Pair) -> str:
    """`it is stopped (its plug was pulled), should be running`."""
    machine, wanted = pair.machine, pair.wanted
    if machine is None or wanted is None:
        return ""
    why = "its memory was saved" if machine.traces.saved else machine.traces.why
    return f"it is {machine.power.value}{f' ({why})' if why else ''}, should be {wanted.state.value}"


def _gateways(pair: Pair, networks: Mapping[str, Network], remedies: _Remedies) -> Iterator[Drift]:
    """A tap that was made with another gateway than the one on record."""
    for now, recorded, wanted in gateways(pair, networks):
        if now not in (recorded, wanted):
            yield _drift(pair, f"its gateway: {now}, should be {wanted}", remedies.machine)


def _recorded(one: Instance) -> str:
    return _devices(tuple((nic.tap, nic.mac, nic.address) for nic in one.nics))


def _devices(nics: tuple[tuple[str, str, str], ...]) -> str:
    return ", ".join(f"{tap} {mac} {address}" for tap, mac, address in nics) or "none"


def _drift(pair: Pair, message: str, remedy: str) -> Drift:
    address, host = f"instance.{pair.name}", pair.source.name
    return Drift(address=address, host=host, message=message, remedy=remedy, repaired=not remedy.startswith(LEFT))
