"""What a cloud consists of. The same types stand for what is wanted and for what is there: equal means nothing to do.

Sizes are bytes, addresses are text in canonical form, digests are lower-case hex SHA-256.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from cloudsync.model.dataclass import dataclass

# Protocols that have ports, with their numbers.
WITH_PORTS: Mapping[str, int] = {"tcp": 6, "udp": 17, "dccp": 33, "sctp": 132, "udplite": 136}


MOST_DISKS = 8
"""Data disks that an instance may have."""


class Direction(StrEnum):
    INGRESS = "ingress"
    EGRESS = "egress"


class Power(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"
    PAUSED = "paused"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keypair:
    """`public_key` is one OpenSSH public key line, `TYPE BASE64 [COMMENT]`."""

    name: str
    public_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """`subnet` is a CIDR without host bits; `dns` are forwarders of the resolver on the gateway."""

    name: str
    subnet: str
    gateway: str
    dns: tuple[str, ...] = ()
    nat: bool = True
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that is allowed, in normal form: equivalent rules are equal.

    `protocol` is `any`, icmp, one of WITH_PORTS, or a decimal number for every other protocol.
    `ports` is (first, last), both inclusive, or None for all. `icmp` is (type, code or None), or None for all.
    `remote` is `any`, a CIDR without host bits, `group.X`, `network.X` or `instance.X` (`self` has become `group.X`).
    """

    direction: Direction
    protocol: str = "any"
    ports: tuple[int, int] | None = None
    icmp: tuple[int, int | None] | None = None
    remote: str = "any"

    def key(self) -> tuple[str, str, tuple[int, int], tuple[int, int], str]:
        """Total order over rules."""
        icmp_type, icmp_code = self.icmp or (-1, None)
        code = -1 if icmp_code is None else icmp_code
        return (self.direction.value, self.protocol, self.ports or (0, 0), (icmp_type, code), self.remote)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A security group; `rules` are sorted by `Rule.key` and hold no duplicates."""

    name: str
    description: str = ""
    rules: tuple[Rule, ...] = ()
    log_denied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """`sha256` is of the image file as it is stored; `format` is qcow2 or raw, or None while it is to be found out.

    `source` is an http(s) URL, or an absolute path on the controller.
    """

    name: str
    sha256: str
    source: str
    format: str | None = None
    min_disk: int = 0
    min_memory: int = 0
    login: str = ""
    arch: str = "x86_64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A blob that must not be shown: what it hashes to and its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """The user-data that an instance was first booted with, and the last commit that was applied with it, and when."""

    user_data: Digest | None
    commit: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nic:
    """One network interface. `tap` is the host's device, `address` the only IPv4 address allowed on it.

    `floating` is an address of the world outside that the host translates to `address` and back. `mtu` is what fits
    into one packet where a tunnel to other hosts takes some of it; None leaves it to the guest.
    """

    network: str
    address: str
    mac: str
    tap: str
    port_security: bool = True
    floating: str | None = None
    mtu: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataDisk:
    """A disk that outlives the root disk. `id` names its volume for ever, whatever its instance comes to be called.

    On record it is not `made` until it is there for certain: from then on it is missed.
    """

    name: str
    size: int
    id: str
    made: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A machine as decided: nothing is left to choose. `image` is a sha256, `image_name` its name in the spec.

    `incarnation` counts replaces: it is part of what `uuid` is derived from. `disk` is the root disk's size, `disks`
    are the others, by name. `seed` is None where it was first booted with the user-data that it has. `ignore` names
    what may drift.
    """

    name: str
    uuid: str
    incarnation: int
    host: str
    image: str
    image_name: str
    flavor: str
    vcpus: int
    memory: int
    disk: int
    nics: tuple[Nic, ...]
    groups: tuple[str, ...] = ()
    keypairs: tuple[str, ...] = ()
    user_data: Digest | None = None
    seed: Seed | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    state: Power = Power.RUNNING
    protect: bool = False
    ignore: tuple[str, ...] = ()
    availability_zone: str = ""
    launch_index: int = 0
    disks: tuple[DataDisk, ...] = ()

    @property
    def autostart(self) -> bool:
        """Whether it starts with its host: what is to be stopped stays so when that boots."""
        return self.state is Power.RUNNING

    @property
    def floating(self) -> tuple[str, ...]:
        """Its floating addresses, in the order of its NICs."""
        return tuple(nic.floating for nic in self.nics if nic.floating)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All things of a cloud by name. `held` are those of `instances` that nothing may touch: they are as they are on
    record, and this is how they would be; None for one that would go."""

    keypairs: Mapping[str, Keypair] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    networks: Mapping[str, Network] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    instances: Mapping[str, Instance] = field(default_factory=dict)
    held: Mapping[str, Instance | None] = field(default_factory=dict)
