"""All that libvirt says about a host, read in a handful of calls: our machines, what others take, capacity.

Called by host.py when it observes. Listing costs one call, each machine's XML another (0.13 ms); states come in bulk.
Where each call has to travel, some are under way at once.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from typing import Any

from cloudsync.hosts.ask import at_once
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

_SORTS = (
    lv.VIR_CONNECT_LIST_DOMAINS_AUTOSTART,
    lv.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE,
    lv.VIR_CONNECT_LIST_DOMAINS_TRANSIENT,
    lv.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT,
)
_UNDER_WAY = 4
"""libvirtd takes 5 calls of one client (max_client_requests), and warns in its log of a client that has as many out."""

_Ask = Callable[[Sequence[Callable[[], Any]]], list[Any]]

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
    ask: _Ask = partial(at_once, most=_UNDER_WAY) if connection.far else _in_turn
    with connection.doing("list the machines") as raw:
        info, memory, disk, uuid, stats, *sorts = ask(
            [
                raw.getInfo,
                # getInfo's memory leaves out what was plugged in later; /proc/meminfo, in KiB, does not.
                partial(raw.getMemoryStats, lv.VIR_NODE_MEMORY_STATS_ALL_CELLS),
                pool.capacity,
                partial(identity, connection),
                partial(raw.getAllDomainStats, lv.VIR_DOMAIN_STATS_STATE),
                *(partial(_those, raw, sort) for sort in _SORTS),
            ]
        )
        machines, others, running = _domains(stats, sorts, cloud, ask)
        usage = _sum([found.usage for _, found in others], _disk_of(raw, [domain for domain, _ in others]))
    return Survey(
        arch=info[0],
        capacity=Usage(vcpus=info[2], memory=memory["total"] << 10, disk=disk),
        machines=machines,
        foreign=usage,
        foreign_names=frozenset(found.name for _, found in others),
        uuid=uuid,
        runs={uuid: run for uuid, run in running.items() if uuid in machines},
        marked={found.name: found.copy_of for _, found in others if found.copy_of and found.cloud == cloud},
    )


def _in_turn(questions: Sequence[Callable[[], Any]]) -> list[Any]:
    return [question() for question in questions]


def _those(raw: Any, sort: int) -> set[bytes]:
    """The UUIDs of its domains of that sort."""
    return {domain.UUID() for domain in raw.listAllDomains(sort)}


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


def _domains(
    stats: Sequence[tuple[Any, Mapping[str, int]]], sorts: Sequence[set[bytes]], cloud: str, ask: _Ask
) -> tuple[dict[str, Machine], list[tuple[Any, Foreign]], dict[str, int]]:
    """Ours by uuid, all others, and the number of each that runs."""
    starting, saved, passing, frozen = sorts
    machines: dict[str, Machine] = {}
    others: list[tuple[Any, Foreign]] = []
    read = ask([partial(_read, domain, domain.UUID() in starting, _power(state)) for domain, state in stats])
    for (domain, state), both in zip(stats, read, strict=True):
        if both is None:
            continue
        found, kept = both
        if not isinstance(found, Ours) or found.machine.cloud != cloud:
            others.append((domain, _as_foreign(found)))
            continue
        uuid, lasting = domain.UUID(), kept if isinstance(kept, Ours) else found
        left = replace(
            traces(found if kept else None, lasting),
            why=_WHY.get((state.get("state.state"), state.get("state.reason")), ""),
            saved=uuid in saved,
            undefined=uuid in passing,
            snapshots=uuid in frozen,
        )
        machines[found.machine.uuid] = replace(_lasting(found.machine, lasting.machine), traces=left)
    return machines, others, _numbers(domain for domain, _ in stats)


def _power(state: Mapping[str, int]) -> Power:
    return _POWER.get(state.get("state.state"), Power.STOPPED)


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
