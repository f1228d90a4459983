"""Whether a host has room for what comes while what goes is still there: order.py asks. Pure."""

from collections.abc import Iterable

from cloudsync.model.cloud import Host
from cloudsync.model.snapshot import HostState
from cloudsync.planner.seen import Pair
from cloudsync.scheduler.room import limit


def crowded(wanted: Host, host: HostState, pairs: Iterable[Pair]) -> bool:
    """Whether what comes only fits once what goes has gone."""
    sizes = {one.uuid: (one.vcpus, one.memory, one.disk) for one in host.machines.values()}
    data = dict(host.data)
    for pair in pairs:
        if pair.wanted:
            sizes[pair.wanted.uuid] = (pair.wanted.vcpus, pair.wanted.memory, pair.wanted.disk)
            data |= {disk.id: disk.size for disk in pair.wanted.disks}
    most, taken = limit(wanted, host), host.foreign
    totals = [sum(column) for column in zip(*sizes.values(), strict=True)] or [0, 0, 0]
    return bool(
        taken.vcpus + totals[0] > most.vcpus
        or taken.memory + totals[1] > most.memory
        or taken.disk + totals[2] + sum(data.values()) > most.disk
    )
