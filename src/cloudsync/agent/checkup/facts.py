"""What is found out about a host before anything is said of it: made by gather.py, judged by judge.py."""

from collections.abc import Mapping
from dataclasses import field

from cloudsync.agent.neighbours.lookout import Sight
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.snapshot import Drift

PROGRAMS: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "nft": ("nftables", (1, 0, 6)),
    "dnsmasq": ("dnsmasq-base", ()),
    "conntrack": ("conntrack", ()),
}
"""What the agent runs: Debian's package, and the oldest version that is known to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`settings` are sysctls that are there, by their path below /proc/sys. `programs` are versions, by name, of those
    of PROGRAMS that run. `active` are other firewalls that say they are on. `synchronized` is None when the kernel does
    not say. Sizes are in bytes; `denials` is why denied packets cannot be read, empty while they can.
    `networkd` is the configuration of systemd-networkd, None when it does not run.
    """

    document: HostDocument | None = None
    drift: tuple[Drift, ...] = ()
    sight: Sight = field(default_factory=lambda: Sight(()))
    settings: Mapping[str, int] = field(default_factory=dict)
    active: tuple[str, ...] = ()
    flushes: bool = False
    programs: Mapping[str, str] = field(default_factory=dict)
    kvm: tuple[bool, str] = (True, "")
    pool: str = ""
    pool_free: int = 0
    pool_size: int = 0
    synchronized: bool | None = None
    networkd: str | None = None
    denials: str = ""
