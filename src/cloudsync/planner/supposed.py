"""Two versions of a cloud -> the same two on hosts that take anything, so that planning from one to the other shows
what the spec's change means. pipeline.py asks; told.py takes out again what was made up.

Nothing moves here unless it must wherever it is: an instance is where both versions let it be, if they agree on a host.
"""

from collections.abc import Collection, Mapping
from dataclasses import field, replace

from cloudsync.model.cloud import Cloud, Host, Overcommit, Wanted, Where
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Placement
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot, Usage
from cloudsync.planner.contents import agreed
from cloudsync.scheduler.filters import explicit_host, labels, why_not, zone
from cloudsync.scheduler.homes import heirs as find_heirs
from cloudsync.scheduler.room import Room

SOMEWHERE = "somewhere"
"""The host of a spec that has none."""

_PLENTY = Usage(vcpus=1 << 24, memory=1 << 56, disk=1 << 56)


@dataclass(frozen=True, slots=True)
class Supposed:
    """`heirs` maps a name of `head` to the one of `base` that it has or had; `homes` says where each of `base` is.
    Hosts are set `aside` that have none of these, and are the same in both: whatever all hosts have, they have, too."""

    base: Cloud
    head: Cloud
    bare: Snapshot
    homes: tuple[Placement, ...]
    heirs: Mapping[str, str]
    choices: "tuple[Choice, Choice]"
    aside: frozenset[str] = frozenset()

    @property
    def held(self) -> frozenset[str]:
        """Addresses that the head is the first to write: nobody has them who was not asked about."""
        then, now = (
            {nic.address for one in cloud.instances.values() for nic in one.nics if nic.address}
            for cloud in (self.base, self.head)
        )
        return frozenset(now - then)


@dataclass(slots=True)
class Choice:
    """The hosts of a cloud that an instance may be on, by what the spec says alone."""

    cloud: Cloud
    _rooms: Mapping[str, Room] = field(init=False)
    _known: dict[object, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        states = {name: HostState(name=name, status=host.state) for name, host in self.cloud.hosts.items()}
        self._rooms = {name: Room.of(self.cloud.hosts[name], state) for name, state in states.items()}

    def of(self, wanted: Wanted, shut: Collection[HostStatus] = (HostStatus.DRAINED,)) -> frozenset[str]:
        """Hosts that are `shut` are left out where others will do."""
        key = (wanted.where.host, wanted.where.zone, tuple(sorted(wanted.where.labels.items())), tuple(shut))
        if key not in self._known:
            rules = (explicit_host, zone, labels)
            fit = {name: room for name, room in self._rooms.items() if not why_not(rules, self.cloud, wanted, room)}
            open_ = frozenset(name for name, room in fit.items() if room.state.status not in shut)
            self._known[key] = open_ or frozenset(fit)
        return self._known[key]


def choices(base: Cloud, head: Cloud) -> tuple[Choice, Choice]:
    """One for both where they have the same hosts."""
    then = Choice(base)
    return then, then if head.hosts is base.hosts else Choice(head)


def suppose(base: Cloud, head: Cloud) -> Supposed:
    """Both on the same hosts."""
    base = agreed(base, head)
    heirs = find_heirs(head.instances, base.instances)
    then, now = choices(base, head)
    successors = renamed(heirs)
    usual = min(head.hosts or base.hosts or (SOMEWHERE,))
    homes: dict[str, str] = {}
    for name, wanted in base.instances.items():
        fit = then.of(wanted)
        after = now.of(head.instances[successors[name]]) if name in successors else fit
        # What found no other place may still be on a host that is drained.
        homes[name] = min(fit & after or then.of(wanted, ()) & after or fit or (usual,))
    pins = {name: _pin(now, wanted, homes.get(heirs.get(name, "")), usual) for name, wanted in head.instances.items()}
    needed = {name: host for name, host in base.hosts.items() if name in homes.values()}
    after_hosts: Mapping[str, Host] = {**needed, **head.hosts} or {SOMEWHERE: Host(name=SOMEWHERE, uri="sim:")}
    before_hosts = base.hosts or after_hosts
    aside = _idle(base, head, {*homes.values(), *pins.values()})
    before_hosts, after_hosts = (_without(hosts, aside) for hosts in (before_hosts, after_hosts))
    names = before_hosts.keys() | after_hosts.keys()
    ready = {name: HostState(name=name, status=HostStatus.READY, capacity=_PLENTY, tls=True) for name in names}
    return Supposed(
        base=replace(_easy(base, before_hosts, homes), paused=frozenset()),
        head=_easy(head, after_hosts, pins),
        bare=Snapshot(hosts=ready),
        homes=tuple(Placement(instance=name, host=homes[name]) for name in sorted(homes)),
        heirs=heirs,
        choices=(then, now),
        aside=aside,
    )


def _idle(base: Cloud, head: Cloud, homes: Collection[str]) -> frozenset[str]:
    """A host that has another one beside it keeps one."""
    same = base.hosts == head.hosts and (base.fabric, base.repair) == (head.fabric, head.repair)
    return frozenset(head.hosts.keys() - homes - set(sorted(head.hosts)[:2])) if same else frozenset()


def _without(hosts: Mapping[str, Host], aside: Collection[str]) -> Mapping[str, Host]:
    return {name: one for name, one in hosts.items() if name not in aside}


def renamed(heirs: Mapping[str, str]) -> dict[str, str]:
    """What each of the base is called now."""
    return {old: new for new, old in heirs.items()}


def _pin(now: Choice, wanted: Wanted, home: str | None, usual: str) -> str:
    fit = now.of(wanted)
    if home is None:
        return min(now.of(wanted, (HostStatus.DRAINED, HostStatus.CORDONED)) or (usual,))
    return home if home in fit or not fit else min(fit)


def _easy(cloud: Cloud, hosts: Mapping[str, Host], where: Mapping[str, str]) -> Cloud:
    """Without anything that could refuse a host."""
    return replace(
        cloud,
        hosts={
            name: replace(one, state=HostStatus.READY, reserved=Usage(), overcommit=Overcommit())
            for name, one in hosts.items()
        },
        images={name: replace(one, arch="x86_64", min_disk=0, min_memory=0) for name, one in cloud.images.items()},
        placement_groups={name: replace(one, policy="soft-affinity") for name, one in cloud.placement_groups.items()},
        expectations=(),
        instances={
            name: replace(one, where=Where(host=where[name], group=one.where.group))
            for name, one in cloud.instances.items()
        },
    )
