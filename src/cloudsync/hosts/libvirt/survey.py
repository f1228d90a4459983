"""All that libvirt says about a host, read in a handful of calls: our machines, what others take, capacity.

Called by host.py when it observes. Listing costs one call, each machine's XML another (0.13 ms); states come in bulk.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import Any

from cloudsync.hosts.libvirt.connection import Connection, lv
from cloudsync.hosts.libvirt.domain_xml import Foreign, Ours, from_xml
from cloudsync.hosts.libvirt.traces import traces
from cloudsync.hosts.libvirt.volume import Pool
from cloudsync.model.dataclass import dataclass
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import Machine, Usage

_POWER = {
    lv.VIR_DOMAIN_RUNNING: Power.RUNNING,
    lv.VIR_DOMAIN_BLOCKED: Power.RUNNING,
    lv.VIR_DOMAIN_PAUSED: Power.PAUSED,
    lv.VIR_DOMAIN_PMSUSPENDED: Power.PAUSED,
    lv.VIR_DOMAIN_CRASHED: Power.CRASHED,
}
"""Every other state is off. A QEMU that was killed is off too: only a crash that libvirt keeps is CRASHED."""

_WHY = {
    (lv.VIR_DOMAIN_PAUSED, lv.VIR_DOMAIN_PAUSED_IOERROR): "an I/O error: the file system of its disk may be full",
    (lv.VIR_DOMAIN_PAUSED, lv.VIR_DOMAIN_PAUSED_WATCHDOG): "its watchdog did it",
    (lv.VIR_DOMAIN_PAUSED, lv.VIR_DOMAIN_PAUSED_CRASHED): "its guest crashed",
    (lv.VIR_DOMAIN_CRASHED, lv.VIR_DOMAIN_CRASHED_PANICKED): "its guest crashed",
    (lv.VIR_DOMAIN_SHUTOFF, lv.VIR_DOMAIN_SHUTOFF_SHUTDOWN): "its guest shut down",
    (lv.VIR_DOMAIN_SHUTOFF, lv.VIR_DOMAIN_SHUTOFF_DESTROYED): "its plug was pulled",
    (lv.VIR_DOMAIN_SHUTOFF, lv.VIR_DOMAIN_SHUTOFF_CRASHED): "QEMU ended by itself",
    (lv.VIR_DOMAIN_SHUTOFF, lv.VIR_DOMAIN_SHUTOFF_FAILED): "it could not be started",
}
"""What libvirt says of a state, where that says more than the state."""

_NUMBERS = range(1 << 31)
_HOST = re.compile(r"<host>\s*<uuid>([^<]*)</uuid>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """`machines` carry the mark of this cloud, by uuid; `foreign` is what all others take, stopped ones too. `runs` has
    libvirt's number of each of ours that runs: it gives none twice. `marked` has the names of those that were copied
    from a machine of this cloud, with that one's.
    """

    arch: str
    capacity: Usage
    machines: Mapping[str, Machine]
    foreign: Usage
    foreign_names: frozenset[str]
    uuid: str = ""
    runs: Mapping[str, int] = field(default_factory=dict)
    marked: Mapping[str, str] = field(default_factory=dict)


def survey(connection: Connection, pool: Pool, cloud: str) -> Survey:
    """Read it all. Raise HostError when libvirt cannot be reached."""
    with connection.doing("list the machines") as raw:
        info = raw.getInfo()
        # getInfo's memory leaves out what was plugged in later; /proc/meminfo, in KiB, does not.
        memory = raw.getMemoryStats(lv.VIR_NODE_MEMORY_STATS_ALL_CELLS)["total"] << 10
        machines, others, running = _domains(raw, cloud)
        usage = _sum([found.usage for _, found in others], _disk_of(raw, [domain for domain, _ in others]))
    return Survey(
        arch=info[0],
        capacity=Usage(vcpus=info[2], memory=memory, disk=pool.capacity()),
        machines=machines,
        foreign=usage,
        foreign_names=frozenset(found.name for _, found in others),
        uuid=identity(connection),
        runs={uuid: run for uuid, run in running.items() if uuid in machines},
        marked={found.name: found.copy_of for _, found in others if found.copy_of and found.cloud == cloud},
    )


def runs(connection: Connection) -> Mapping[str, int]:
    """The number of every machine that runs, ours or not, by uuid: one call."""
    with connection.doing("list what runs") as raw:
        return _numbers(raw.listAllDomains(lv.VIR_CONNECT_LIST_DOMAINS_ACTIVE))


def identity(connection: Connection) -> str:
    """The UUID that libvirt tells hosts apart by when a machine moves."""
    with connection.doing("ask who it is"):
        return connection.kept(_identity)


def _identity(raw: Any) -> str:
    """The capabilities are hundreds of lines of XML, which begin with it."""
    found = _HOST.search(raw.getCapabilities())
    return found[1] if found else ""


def offers_kvm(connection: Connection) -> bool:
    """Whether libvirt would make KVM machines of the host's architecture."""
    with connection.doing("ask what machines there can be") as raw:
        try:
            raw.getDomainCapabilities(None, raw.getInfo()[0], None, "kvm")
        except lv.libvirtError:
            return False
        return True


def _domains(raw: Any, cloud: str) -> tuple[dict[str, Machine], list[tuple[Any, Foreign]], dict[str, int]]:
    """Ours by uuid, all others, and the number of each that runs."""
    there = raw.getAllDomainStats(lv.VIR_DOMAIN_STATS_STATE)
    starting, saved, passing, frozen = (
        {domain.UUID() for domain in (raw.listAllDomains(which) if there else ())}
        for which in (
            lv.VIR_CONNECT_LIST_DOMAINS_AUTOSTART,
            lv.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE,
            lv.VIR_CONNECT_LIST_DOMAINS_TRANSIENT,
            lv.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT,
        )
    )
    machines: dict[str, Machine] = {}
    others: list[tuple[Any, Foreign]] = []
    for domain, state in there:
        uuid, power = domain.UUID(), _POWER.get(state.get("state.state"), Power.STOPPED)
        both = _read(domain, uuid in starting, power)
        if both is None:
            continue
        found, kept = both
        if not isinstance(found, Ours) or found.machine.cloud != cloud:
            others.append((domain, _as_foreign(found)))
            continue
        lasting = kept if isinstance(kept, Ours) else found
        left = replace(
            traces(found if kept else None, lasting),
            why=_WHY.get((state.get("state.state"), state.get("state.reason")), ""),
            saved=uuid in saved,
            undefined=uuid in passing,
            snapshots=uuid in frozen,
        )
        machines[found.machine.uuid] = replace(_lasting(found.machine, lasting.machine), traces=left)
    return machines, others, _numbers(domain for domain, _ in there)


def _numbers(domains: Iterable[Any]) -> dict[str, int]:
    """One that does not run has none."""
    return {domain.UUIDString(): domain.ID() for domain in domains if domain.ID() in _NUMBERS}


def _lasting(machine: Machine, kept: Machine) -> Machine:
    """With those data disks only that it has at its next start too, and with what is not its own at either."""
    strange = tuple(dict.fromkeys((*machine.strange, *kept.strange)))
    return replace(machine, attached=machine.attached & kept.attached, strange=strange)


def _read(domain: Any, autostart: bool, power: Power) -> tuple[Ours | Foreign, Ours | Foreign | None] | None:
    """What it is now, and what libvirt keeps of it where it is ours and runs; None when it is gone meanwhile."""
    try:
        found = from_xml(domain.XMLDesc(), power=power, autostart=autostart)
        if isinstance(found, Foreign) or power in (Power.STOPPED, Power.CRASHED):
            return found, None
        return found, from_xml(domain.XMLDesc(lv.VIR_DOMAIN_XML_INACTIVE))
    except lv.libvirtError as error:
        if error.get_error_code() != lv.VIR_ERR_NO_DOMAIN:
            raise
        return None


def _as_foreign(found: Ours | Foreign) -> Foreign:
    if isinstance(found, Foreign):
        return found
    machine = found.machine
    usage = Usage(vcpus=machine.vcpus, memory=machine.memory)
    return Foreign(uuid=machine.uuid, name=machine.name, usage=usage)


def _disk_of(raw: Any, domains: list[Any]) -> int:
    """Virtual size of the disk files of `domains`; whole block devices take nothing from a file system.

    NOWAIT: a machine that is busy with a job must not hold the survey up.
    """
    if not domains:
        return 0
    total = 0
    flags = lv.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    for _, stats in raw.domainListGetStats(domains, lv.VIR_DOMAIN_STATS_BLOCK, flags):
        for index in range(stats.get("block.count", 0)):
            path = stats.get(f"block.{index}.path", "")
            if path.startswith("/") and not path.startswith("/dev/"):
                total += stats.get(f"block.{index}.capacity", 0)
    return total


def _sum(usages: list[Usage], disk: int) -> Usage:
    total = Usage(vcpus=sum(usage.vcpus for usage in usages), memory=sum(usage.memory for usage in usages))
    return replace(total, disk=disk)
