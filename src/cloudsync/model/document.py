"""What one host's network side should be, as one value: the controller PUTs it, the agent keeps and enforces it.

Everything the agent makes (ruleset, leases, names, metadata records) is a pure function of this value.
"""

from collections.abc import Mapping
from dataclasses import field

from cloudsync.model.dataclass import dataclass
from cloudsync.model.resources import Group, Image, Instance, Keypair, Network

TUNNEL_OVERHEAD = 50
"""Bytes that VXLAN puts around an IP packet over IPv4: Ethernet 14, VXLAN 8, UDP 8, IP 20."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """Which commit of the spec was applied, by whom (`user@machine`) and when (ISO 8601, UTC)."""

    commit: str = ""
    dirty: bool = False
    by: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where an instance of the cloud lives; every host knows all of them. `disks` are its data disks: name, id."""

    uuid: str
    host: str
    addresses: tuple[str, ...]
    floating: tuple[str, ...] = ()
    disks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """An instance that was made anew elsewhere while `host`, which has this one, could not be asked."""

    name: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostDocument:
    """`instances` are this host's own, by name; `directory` names every instance of the cloud.

    `members` gives the addresses behind each `group.X` or `instance.X` that a rule of `groups` names, cluster-wide.
    An instance on record that the directory has on another host is about to come from there; `leaving` names those
    that are about to go, with the host they go to. `given_up`, by uuid, are to be stopped when their hosts come back;
    it names them until they are removed. `images` are those that local instances stand on. `infra` are underlay
    addresses that guests may never reach.
    `repair`: the agent restores at once what others change.
    `underlay` is the address of each host, and `fabric` (direct or vxlan) how packets for instances of others get
    there; a host without others has no underlay.
    `user_data` maps a SHA-256 to base64 text for what local instances use; it is never printed.
    """

    cloud: str
    host: str
    generation: int = 0
    applied: Applied = Applied()
    uplink: str | None = None
    repair: bool = False
    infra: tuple[str, ...] = ()
    fabric: str = "direct"
    underlay: Mapping[str, str] = field(default_factory=dict)
    keypairs: Mapping[str, Keypair] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    networks: Mapping[str, Network] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    instances: Mapping[str, Instance] = field(default_factory=dict)
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    directory: Mapping[str, Entry] = field(default_factory=dict)
    leaving: Mapping[str, str] = field(default_factory=dict)
    given_up: Mapping[str, GivenUp] = field(default_factory=dict)
    user_data: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def released(self) -> bool:
        """Nothing of the cloud is left here: another cloud may take the host."""
        return not (self.instances or self.keypairs or self.groups)
