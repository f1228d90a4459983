"""What an agent says about its host, and about an image it has taken in: the answers of its socket."""

from collections.abc import Mapping
from dataclasses import field

from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import Applied, HostDocument
from cloudsync.model.obstacle import Obstacle
from cloudsync.model.snapshot import Boot, Drift, Occupied


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDone:
    """An image in the host's cache. `size` is the file's, `virtual_size` what a guest sees of it; both in bytes."""

    sha256: str
    size: int
    format: str
    virtual_size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RootDisk:
    """What a root disk's own header says: `size` is what the guest sees of it, in bytes, `image` the sha256 of the
    cached image that it stands on. 0 and empty when that cannot be told."""

    size: int = 0
    image: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Who holds the apply lock (`user@machine`) and since when (ISO 8601, UTC)."""

    holder: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Where a host differs from its document now, nowhere when it is in step; `more` counts what is not listed."""

    drift: tuple[Drift, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """Of a guest that was started: what it told of its boot, and whether its ssh port answers the host."""

    boot: Boot | None = None
    ssh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentState:
    """`document` has its user-data taken out. `uplink` is the interface towards the world outside, None without one.
    `etag` names the document exactly, and goes with a delta to it; empty from an agent that takes none.
    `at` is the host's clock (ISO 8601, UTC), empty from an agent that does not say.

    `kvm` is False on a machine that offers KVM in which guests die; `kvm_reason` says what was found.
    `images` maps the sha256 of each cached image to its file's size, `image_info` to what it is.
    `partial` are the sha256 of images that began to come in and are not whole. `disks` are root disks by instance uuid,
    `data` the sizes of data disks by id, 0 when that cannot be told.
    `mtus` says of each address of the host what fits into one packet on its device.
    `pool_size` is the size in bytes of the file system that they are on; 0 from an agent that does not say;
    `pool_free` what is free of it, below 0 from such an agent.
    `tls`: running machines can come and go by TLS.
    `taps` are the names of the taps that are there; None from an agent that does not say.
    `applied` is what each cloud applied last by this host's journal, `cut_off` the addresses of what that
    was to change where it never ended: nothing from an agent that keeps none.
    """

    version: str
    kvm: bool
    kvm_reason: str
    uplink: str | None = None
    document: HostDocument | None = None
    drift: tuple[Drift, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    boots: Mapping[str, Boot] = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)
    image_info: Mapping[str, ImageDone] = field(default_factory=dict)
    partial: tuple[str, ...] = ()
    disks: Mapping[str, RootDisk] = field(default_factory=dict)
    data: Mapping[str, int] = field(default_factory=dict)
    pool_size: int = 0
    pool_free: int = -1
    etag: str = ""
    occupied: tuple[Occupied, ...] = ()
    mtus: Mapping[str, int] = field(default_factory=dict)
    at: str = ""
    tls: bool = False
    taps: tuple[str, ...] | None = None
    applied: Mapping[str, Applied] = field(default_factory=dict)
    cut_off: Mapping[str, frozenset[str]] = field(default_factory=dict)
