"""What the user wants, after the spec was read and checked: names resolved, counts expanded, units in bytes.

Nothing is decided yet: no host, address, MAC or UUID unless the user wrote it.
"""

from collections.abc import Mapping
from dataclasses import field, replace

from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import Place
from cloudsync.model.resources import Group, Image, Keypair, Network, Power, Rule
from cloudsync.model.snapshot import HostStatus, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Overcommit:
    vcpus: float = 4.0
    memory: float = 1.0
    disk: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """`state` is one of ready (the spec's `active`), cordoned, drained. `virt` is auto, kvm or qemu."""

    name: str
    uri: str
    ssh: str | None = None
    address: str | None = None
    virt: str = "auto"
    zone: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    overcommit: Overcommit = Overcommit()
    reserved: Usage = Usage(memory=512 << 20)
    uplink: str | None = None
    state: HostStatus = HostStatus.READY


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    name: str
    vcpus: int
    memory: int
    disk: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedNic:
    network: str
    address: str | None = None
    port_security: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedDisk:
    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Constraints on the host: all that are set must hold. `group` names a placement group."""

    host: str | None = None
    zone: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """At most `max_unavailable` are taken down at once, and each has `timeout` seconds to come back."""

    max_unavailable: int = 1
    timeout: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One instance. `base` is its key in the spec, `index` 0 for a plain one, 1.. for the counted.

    `was` are names it may be renamed from when they exist and the spec no longer wants them: the written `was:`
    first, then `base` for BASE-1 and BASE-1 for a plain BASE. `floating` is the floating address of its first NIC.
    `update` is the same for all of one base. `ignore` names what may drift (state). `renews`: it is made anew when its
    user-data changes.
    """

    name: str
    base: str
    index: int = 0
    was: tuple[str, ...] = ()
    image: str
    flavor: Flavor
    nics: tuple[WantedNic, ...]
    keypairs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ("default",)
    floating: str | None = None
    where: Where = Where()
    user_data: bytes | None = field(default=None, repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict)
    state: Power = Power.RUNNING
    protect: bool = False
    update: Update | None = None
    disks: tuple[WantedDisk, ...] = ()
    ignore: tuple[str, ...] = ()
    renews: bool = False

    @property
    def takes(self) -> Flavor:
        """What it takes of its host: its disk is all of its disks."""
        more = sum(disk.size for disk in self.disks)
        return replace(self.flavor, disk=self.flavor.disk + more) if more else self.flavor


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementGroup:
    """`policy` is affinity, anti-affinity, soft-affinity or soft-anti-affinity."""

    name: str
    policy: str
    max_per_host: int = 1
    update: Update | None = None

    @property
    def strict(self) -> bool:
        """Whether it is a rule, not a wish."""
        return not self.policy.startswith("soft-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """`strategy` is spread or pack; `weights` has vcpus, memory, disk, image_present, soft_affinity, moves."""

    strategy: str = "spread"
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What must be possible between two ends, or, unless `allow`, must not. `key` is that of its place.

    An end is `internet`, an address, a CIDR, group.X, network.X or instance.X; `protocol` is written as in a Rule.
    """

    key: str
    allow: bool
    source: str
    target: str
    protocol: str = "any"
    port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """`digest` covers the spec's text and every file it refers to. `groups` always has `default`.

    `bandwidth` is what a move may take, in bytes a second, 0 for all there is.
    `commit` is the Git commit of the spec's folder, empty outside Git; `dirty` when the spec or a file of it differs,
    or an image that Git has.
    `evacuate` are hosts that the person has given up, on the command line: never part of the spec.
    `places` maps KIND.NAME (and `instance.BASE` for a counted one) to its key in the spec, `group.X/ingress/0` and
    `expect/0` to what stands there, `host.X/address` to that key where it is written. `written` has each group's rules
    as they stand in the spec, before they became the normal ones of `groups`, beside the key of their place; an
    implied rule has its direction's, without a number. `replaced` are instances that are to be made anew, disk and all:
    asked for on the command line. `paused` are keys of instances that nothing may touch, counted ones and all that were
    counted under them. `image_sizes` are the bytes of image files of this machine, by sha256, `image_blobs` what Git
    calls the content of those that it has and that nobody opened, by the image's name. `held` are instances that a plan
    leaves as they are on record, by their names there, `upkept` those of them that are set back to that where they
    drifted, `targets` what a person wants of all this: none is part of the spec.
    """

    name: str
    digest: str
    path: str
    commit: str = ""
    dirty: bool = False
    fabric: str = "direct"
    repair: bool = False
    scheduler: Scheduler = Scheduler()
    bandwidth: int = 0
    hosts: Mapping[str, Host] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    networks: Mapping[str, Network] = field(default_factory=dict)
    keypairs: Mapping[str, Keypair] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    placement_groups: Mapping[str, PlacementGroup] = field(default_factory=dict)
    instances: Mapping[str, Wanted] = field(default_factory=dict)
    expectations: tuple[Expectation, ...] = ()
    evacuate: tuple[str, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)
    written: Mapping[str, tuple[tuple[str, Rule], ...]] = field(default_factory=dict)
    replaced: frozenset[str] = frozenset()
    paused: frozenset[str] = frozenset()
    image_sizes: Mapping[str, int] = field(default_factory=dict)
    image_blobs: Mapping[str, str] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    upkept: frozenset[str] = frozenset()
    targets: tuple[str, ...] = ()

    def rests(self, one: Wanted) -> bool:
        """Whether nothing may touch it."""
        return one.base in self.paused or one.name in self.held

    @property
    def going(self) -> bool:
        """All of it is to go: a spec always has the group `default`, so only what `destroy` plans has none."""
        return not self.groups
