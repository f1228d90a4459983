"""What is really there, host by host."""

from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import Self

from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import Applied, HostDocument
from cloudsync.model.obstacle import Obstacle
from cloudsync.model.resources import MOST_DISKS, DataDisk, Instance, Power, Rule

SKEW = 5.0
"""Seconds between two clocks that are not worth a word: asking takes some."""


class HostStatus(StrEnum):
    READY = "ready"
    CORDONED = "cordoned"
    DRAINED = "drained"
    UNREACHABLE = "unreachable"
    FOREIGN = "foreign"
    UNFIT = "unfit"

    @property
    def usable(self) -> bool:
        return self not in (HostStatus.UNREACHABLE, HostStatus.FOREIGN, HostStatus.UNFIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """An amount of what a host has: virtual CPUs, bytes of memory, bytes of disk."""

    vcpus: int = 0
    memory: int = 0
    disk: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What somebody else's hand left on a machine, in words; empty where there is nothing.

    `definition` says how what libvirt keeps of it differs from what was written last, `running` how what it runs with
    does. `disk` is the file that it has in place of its root disk. `why` is how libvirt explains its power state.
    `saved`: its memory is kept, and it goes on there when it is started. `undefined`: libvirt keeps nothing of it once
    it stops. `snapshots`: libvirt has some of it. `vcpus` and `memory` (bytes) are what it would have when it is
    started again, where `definition` tells of that; 0 where it does not.
    """

    definition: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    disk: str = ""
    why: str = ""
    saved: bool = False
    undefined: bool = False
    snapshots: bool = False
    vcpus: int = 0
    memory: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A domain that carries our mark, as libvirt has it now. `nics` are (tap, mac, address) in order.

    `gateways` are the addresses that libvirt gives the taps, in the same order; empty when they are not known.
    `disk` is the root disk's virtual size in bytes as the disk itself says, 0 when it is missing.
    `generation` is the host document's generation that the domain was last written under.
    `max_vcpus` and `max_memory` (bytes) are how far it can grow as it runs; what it has, or less, where it cannot.
    `disks` are the data disks that its mark names, with the size that each has (0 when it is missing); `attached` are
    volumes of data disks that it has now and at its next start, `strange` what else it has for disks, `ports` how many
    more it could be given while it runs. `lost` are taps of its that are gone while it runs: QEMU takes no other.
    """

    uuid: str
    name: str
    cloud: str
    image: str
    vcpus: int
    memory: int
    disk: int
    nics: tuple[tuple[str, str, str], ...]
    power: Power
    autostart: bool = True
    generation: int = 0
    gateways: tuple[str, ...] = ()
    max_vcpus: int = 0
    max_memory: int = 0
    disks: tuple[DataDisk, ...] = ()
    attached: frozenset[str] = frozenset()
    strange: tuple[str, ...] = ()
    ports: int = MOST_DISKS
    lost: tuple[str, ...] = ()
    traces: Traces = Traces()

    @classmethod
    def written(
        cls, one: Instance, *, cloud: str, generation: int, gateways: Mapping[str, str], most: Usage, disk: int
    ) -> Self:
        """What `one` is when its domain has just been written. `gateways` are by network; `most` is what it may grow
        to, `disk` the size of its root disk."""
        return cls(
            uuid=one.uuid,
            name=one.name,
            cloud=cloud,
            image=one.image,
            vcpus=one.vcpus,
            memory=one.memory,
            disk=disk,
            nics=tuple((nic.tap, nic.mac, nic.address) for nic in one.nics),
            power=one.state,
            autostart=one.autostart,
            generation=generation,
            gateways=tuple(gateways[nic.network] for nic in one.nics),
            max_vcpus=max(one.vcpus, most.vcpus),
            max_memory=max(one.memory, most.memory),
            disks=one.disks,
            attached=frozenset(disk.id for disk in one.disks),
            ports=MOST_DISKS - len(one.disks),
        )

    def sized(self, data: Mapping[str, int]) -> "Machine":
        """Its data disks with the sizes that they have, by id."""
        if not self.disks:
            return self
        return replace(self, disks=tuple(replace(disk, size=data.get(disk.id, 0)) for disk in self.disks))


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """What a guest said about its own boot: cloud-init's stage, whether it is done, what failed, its ssh host keys.

    `host_keys` are the first that it reported. `other_keys` came later and differ: anybody in the guest can send some.
    `grows`: it has said that it takes vCPUs and memory into use as they come.
    """

    uuid: str
    stage: str = ""
    finished: bool = False
    failures: tuple[str, ...] = ()
    host_keys: tuple[str, ...] = ()
    other_keys: tuple[str, ...] = ()
    grows: bool = False
    at: str = ""

    @property
    def told_its_end(self) -> bool:
        """Of this boot. One that has no stage only phoned home, which it does once in its life."""
        return self.finished and self.stage != ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupied:
    """An address of the host itself, on `device`, and the subnet that it reaches there; a tap's does not count."""

    device: str
    address: str
    subnet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Something changed outside cloudsync. `address` is KIND.NAME, `remedy` what the next apply does about it.

    `repaired` is False when that is nothing. `added` and `removed` say what was done to a group's rules, where a rule
    of the spec would say exactly that.
    """

    address: str
    host: str
    message: str
    remedy: str = "will be restored"
    repaired: bool = True
    added: Rule | None = None
    removed: Rule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """What is left of an instance that was made anew elsewhere while its host could not be asked; `data` are the data
    disks that are there."""

    name: str
    machine: Machine | None = None
    has_disk: bool = False
    data: tuple[DataDisk, ...] = ()

    @property
    def rests(self) -> bool:
        """It does not run, and will not by itself."""
        return self.machine is None or (self.machine.power is Power.STOPPED and not self.machine.autostart)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """One host as observed. Unless `reachable`, everything but name, status and reason is unknown, not empty. `awake`:
    it is unreachable, and yet something on it answers, so that its guests may run.

    `capacity` is raw; `foreign` is what machines that are not ours take of it; `foreign_names` their domain names.
    `marked` are those of them that were copied from a machine of this cloud, mark and all, with that one's name.
    `images` maps the sha256 of each cached image to its file's size, `image_disks` to the size of a disk that holds it;
    `partial` are those that began to come in. `disks` are instance uuids that have a root disk here, `data` the data
    disks here by id, with the size that each has.
    `free` are the bytes that are free where disks and images lie; below 0 where nobody says.
    `uuid` is what libvirt calls the host; `skew` how many seconds its clock is ahead of ours (behind: negative).
    `stale`, by uuid, are in none of the others; who knows all hosts' documents tells them (scheduler/standing.py).
    `mtus` has its addresses, each with what fits into one packet there; empty when that is not known.
    `tls`: running machines can come and go by TLS. `runs`, by uuid, numbers the process that each machine runs in.
    `applied` is the cloud's last apply by the host's journal, on whichever hosts that changed something.
    `cut_off` are the addresses of what that was to change, where it was killed, or goes on.
    `document` is None on a host that never had one. `machines` and `boots` are by instance uuid.
    """

    name: str
    status: HostStatus
    reason: str = ""
    awake: bool = False
    arch: str = "x86_64"
    capacity: Usage = Usage()
    foreign: Usage = Usage()
    foreign_names: frozenset[str] = frozenset()
    marked: Mapping[str, str] = field(default_factory=dict)
    document: HostDocument | None = None
    machines: Mapping[str, Machine] = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)
    image_disks: Mapping[str, int] = field(default_factory=dict)
    partial: frozenset[str] = frozenset()
    disks: frozenset[str] = frozenset()
    data: Mapping[str, int] = field(default_factory=dict)
    occupied: tuple[Occupied, ...] = ()
    drift: tuple[Drift, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    boots: Mapping[str, Boot] = field(default_factory=dict)
    stale: Mapping[str, Stale] = field(default_factory=dict)
    mtus: Mapping[str, int] = field(default_factory=dict)
    free: int = -1
    uuid: str = ""
    skew: float = 0.0
    tls: bool = False
    runs: Mapping[str, int] = field(default_factory=dict)
    applied: Applied | None = None
    cut_off: frozenset[str] = frozenset()

    @property
    def reachable(self) -> bool:
        return self.status.usable

    @property
    def generation(self) -> int:
        return self.document.generation if self.document else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    hosts: Mapping[str, HostState] = field(default_factory=dict)

    @property
    def usable(self) -> frozenset[str]:
        """Names of hosts that can be asked and applied to."""
        return frozenset(name for name, host in self.hosts.items() if host.reachable)

    @property
    def runs(self) -> Mapping[str, Mapping[str, int]]:
        """The runs of this cloud's machines, by host; hosts out of reach are missing."""
        there = [host for host in self.hosts.values() if host.reachable]
        return {host.name: {uuid: host.runs[uuid] for uuid in host.runs.keys() & host.machines} for host in there}

    def deployed(self, cloud: str) -> Applied | None:
        """What was applied last: the newest that any host knows of, for an apply changes documents only where it must.
        A host that another cloud has left knows nothing of this one."""
        there = [host for host in self.hosts.values() if host.status is not HostStatus.FOREIGN]
        found = [host.document.applied for host in there if host.document and host.document.cloud == cloud]
        found += [host.applied for host in there if host.applied]
        return max((one for one in found if one.at), key=lambda one: one.at, default=None)
