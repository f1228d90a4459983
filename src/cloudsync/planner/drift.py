"""What was changed outside cloudsync: a host differs from what the last apply recorded."""

from collections.abc import Iterator

from cloudsync.model.resources import Instance, Power
from cloudsync.model.size import size
from cloudsync.model.snapshot import Drift, HostState, Machine, Snapshot
from cloudsync.planner.seen import Pair, Sight

LEFT = "left alone"


def drift(sight: Sight, snapshot: Snapshot) -> tuple[Drift, ...]:
    """Of machines and disks, and what the agents say of their hosts; by host, then address."""
    found = [one for host in snapshot.hosts.values() if host.reachable for one in host.drift]
    found += [one for pair in sight.pairs if pair.wanted and not pair.replaced for one in _of(pair)]
    found += [one for host in snapshot.hosts.values() if host.reachable for one in _orphans(host, sight)]
    return tuple(sorted(found, key=lambda one: (one.host, one.address, one.message)))


def orphans(host: HostState, sight: Sight) -> frozenset[str]:
    """UUIDs of root disks that belong to no machine, record or wanted instance."""
    known = set(host.machines)
    for pair in sight.pairs:
        known |= {one.uuid for one in (pair.home, pair.wanted) if one is not None}
    return frozenset(host.disks - known)


def _orphans(host: HostState, sight: Sight) -> Iterator[Drift]:
    for uuid in sorted(orphans(host, sight)):
        text = f"a disk of no instance is in the pool: {uuid}.root.qcow2"
        yield Drift(address=f"host.{host.name}", host=host.name, message=text, remedy=LEFT)


def _of(pair: Pair) -> Iterator[Drift]:
    record, machine, wanted = pair.record, pair.machine, pair.wanted
    if wanted is None or pair.home is None:
        return
    if record is None:
        yield _drift(pair, "its record is missing", "will be restored")
    elif machine is None:
        kept = "on its disk" if pair.has_disk else "from its image"
        yield _drift(pair, "the machine is not there", f"will be made {kept}")
    else:
        yield from _machine(pair, record, machine, wanted)


def _machine(pair: Pair, record: Instance, machine: Machine, wanted: Instance) -> Iterator[Drift]:
    restart = "will be set back (restart)" if machine.power is not Power.STOPPED else "will be set back"
    for what, is_now, should in (
        ("its name", machine.name, record.name),
        ("vcpus", str(machine.vcpus), str(record.vcpus)),
        ("memory", size(machine.memory), size(record.memory)),
        ("its devices", _nics(machine), ", ".join(f"{nic.tap} {nic.mac} {nic.address}" for nic in record.nics)),
    ):
        if is_now != should:
            yield _drift(pair, f"{what}: {is_now}, should be {should}", restart)
    if not pair.has_disk:
        yield _drift(pair, "its disk is gone", LEFT)
    if machine.power is not record.state and record.state is wanted.state:
        verb = "started" if wanted.state is Power.RUNNING else "stopped"
        yield _drift(pair, f"it is {machine.power.value}, should be {record.state.value}", f"will be {verb}")


def _nics(machine: Machine) -> str:
    return ", ".join(f"{tap} {mac} {address}" for tap, mac, address in machine.nics)


def _drift(pair: Pair, message: str, remedy: str) -> Drift:
    name = pair.wanted.name if pair.wanted else ""
    return Drift(address=f"instance.{name}", host=pair.host.name, message=message, remedy=remedy)
