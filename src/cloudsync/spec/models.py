"""The spec as the user writes it. `draft` fills these one by one; `schema` turns them into a JSON Schema for editors.

Only shape is checked here; what depends on another part of the spec is in `checks`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from cloudsync.model.resources import MOST_DISKS
from cloudsync.spec.fields import (
    EMPTY_LIST,
    Device,
    Domain,
    Duration,
    IcmpType,
    KeypairName,
    Label,
    Labels,
    Login,
    Metadata,
    Name,
    Ports,
    Protocol,
    Ratio,
    Remote,
    Size,
    Weight,
)


class Written(BaseModel):
    """No unknown keys, no conversions: `"3"` is not 3."""

    # Only what a spec has is built, and what is part of another not once more by itself.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Weights(Written):
    memory: Weight = 1.0
    vcpus: Weight = 1.0
    disk: Weight = 0.5
    image_present: Weight = Field(default=0.5, description="How much fuller a host that has it may be, in instances.")
    soft_affinity: Weight = 1.0
    moves: Weight = 1.0


class Scheduler(Written):
    """How hosts are chosen: spread the load, or pack it."""

    strategy: Literal["spread", "pack"] = "spread"
    weights: Weights = Field(default_factory=Weights)


class Migration(Written):
    """How instances travel between hosts."""

    bandwidth: Size = Field(default=0, description="At most this much a second for each move. 0: all there is.")


class Overcommit(Written):
    """How much more than the host has may be promised to its instances."""

    vcpus: Ratio = 4.0
    memory: Ratio = 1.0
    disk: Ratio = 1.0


class Reserved(Written):
    """What is kept for the host itself."""

    memory: Size = 512 << 20
    disk: Size = 0


class Host(Written):
    uri: str = Field(description="A libvirt URI, or sim:?vcpus=16&memory=64GiB for a simulated host.")
    ssh: str = Field(default="", description="How to reach the agent where the URI does not say: USER@HOST[:PORT].")
    address: str = Field(default="", description="The IPv4 address that other hosts reach it by.")
    virt: Literal["auto", "kvm", "qemu"] = "auto"
    zone: Name = Field(default="", description="A name for where the host stands, such as a rack.")
    labels: Labels = Field(default_factory=dict, description="Free words that instances can ask for.")
    overcommit: Overcommit = Field(default_factory=Overcommit)
    reserved: Reserved = Field(default_factory=Reserved)
    uplink: Device = Field(default="", description="The device that traffic leaves by. Default: the default route's.")
    state: Literal["active", "cordoned", "drained"] = "active"


class Image(Written):
    source: str = Field(description="An http(s) URL, or file:PATH, relative to the spec's folder.")
    sha256: str = Field(
        default="",
        description="Of the image file as it is downloaded. Required for http(s).",
        json_schema_extra={"pattern": "^[0-9A-Fa-f]{64}$"},
    )
    format: Literal["qcow2", "raw"] | None = Field(default=None, description="Found out when absent.")
    arch: Literal["x86_64", "aarch64"] = "x86_64"
    min_disk: Size = 0
    min_memory: Size = 0
    login: Login = Field(default="", description="The user that `cloudsync ssh` takes.")


class Network(Written):
    subnet: str = Field(description="An IPv4 CIDR without host bits.", examples=["10.20.0.0/16"])
    gateway: str = Field(default="", description="Default: the first address of the subnet.")
    dns: list[str] = Field(default=[], description="Forwarders of the resolver on the gateway.")
    nat: bool = Field(default=True, description="Instances may leave through the host's uplink.")
    domain: Domain = Field(default="", description="Default: CLOUD.internal.")


class Flavor(Written):
    vcpus: int = Field(ge=1, le=1024)
    memory: Size
    disk: Size


class PublicKeyFile(Written):
    public_key_file: str = Field(description="A public key file, inside the Git repository.")


class Rule(Written):
    protocol: Protocol = "any"
    ports: Ports = Field(default_factory=list)
    type: IcmpType | None = None
    code: Annotated[int, Field(ge=0, le=255)] | None = None


class IngressRule(Rule):
    """Lets something in."""

    from_: Remote = Field(alias="from")


class EgressRule(Rule):
    """Lets something out."""

    to: Remote


class Group(Written):
    description: str = Field(default="", max_length=255)
    log_denied: bool = False
    ingress: list[IngressRule] | None = Field(default=None, description="What may come in. Without it: nothing.")
    egress: list[EgressRule] | None = Field(default=None, description="What may go out. Without it: everything.")


class Update(Written):
    """Restarts and replaces go one after the other: each waits until the last is back."""

    max_unavailable: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=1, description="How many may be down at once, those that are down already among them."
    )
    timeout: Duration = Field(default=600, description="How long one may take to come back before all else stops.")


class PlacementGroup(Written):
    policy: Literal["affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"]
    max_per_host: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    update: Update | None = Field(default=None, description="Care with all its members together.")


class Nic(Written):
    """A network card. The first one has the default route and gives the instance its full name."""

    name: str = Field(description="The network's name; one network may have several cards of an instance.")
    address: str = Field(default="", description="A fixed address in its subnet.")
    port_security: bool = Field(
        default=True,
        description="false: groups do not filter this card, and it may send from addresses outside all networks.",
    )


class Placement(Written):
    """Constraints on the host; all of them hold."""

    group: str = Field(default="", description="The name of a placement group.")
    zone: str = ""
    labels: Labels = Field(default_factory=dict)
    host: str = ""


class Disk(Written):
    """A disk of its own, which outlives the root disk. The guest finds it at /dev/disk/by-id/virtio-NAME."""

    # A virtio disk's serial number has room for 20 bytes.
    name: Annotated[Label, Field(max_length=20)]
    size: Size


class DataFile(Written):
    file: str = Field(description="A file inside the Git repository, relative to the spec's folder.")


def _shape(value: object) -> str:
    return "<text>" if isinstance(value, str) else "<mapping>"


UserData = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[DataFile, Tag("<mapping>")],
    Discriminator(_shape),
    Field(description="What cloud-init is given: the text itself, or {file: PATH}. At most 49149 bytes."),
]
PublicKey = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[PublicKeyFile, Tag("<mapping>")],
    Discriminator(_shape),
    Field(description="An OpenSSH public key, or {public_key_file: PATH}."),
]


def _one_or_many(value: object) -> str:
    return "<list>" if isinstance(value, list) else "<text>"


Addresses = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[list[str], Tag("<list>")],
    Discriminator(_one_or_many),
]


class Instance(Written):
    count: Annotated[int, Field(ge=0, le=10_000)] | None = Field(
        default=None, description="Makes NAME-1, NAME-2, and so on."
    )
    was: Label = Field(default="", description="The name it had; it is renamed in place.")
    image: str = Field(min_length=1)
    flavor: str = Field(min_length=1)
    network: str = Field(default="", description="Default: the network named default, else the only one.")
    networks: list[Nic] | None = Field(default=None, description="The network cards, in order, in place of `network`.")
    keypairs: Annotated[list[str], EMPTY_LIST] = Field(default_factory=list)
    security_groups: list[str] | None = Field(default=None, description="Default: [default].")
    placement: Placement = Field(default_factory=Placement)
    user_data: UserData | None = None
    metadata: Metadata = Field(default_factory=dict, max_length=128)
    floating_ip: Addresses | None = Field(
        default=None, description="An address outside that leads to it; a list of one each when it has a count."
    )
    update: Update | None = Field(default=None, description="Care with the instances of a count.")
    on_user_data_change: Literal["keep", "replace"] = Field(
        default="keep", description="replace: made anew, disk and all, for cloud-init runs only once."
    )
    protect: bool = Field(default=False, description="No plan may delete or replace it.")
    state: Literal["running", "stopped"] = "running"
    ignore: Annotated[list[Literal["state"]], EMPTY_LIST] = Field(
        default_factory=list, description="Drift in it is told and left alone."
    )
    paused: bool = Field(default=False, description="Nothing touches it until this line is gone.")
    disks: Annotated[list[Disk], EMPTY_LIST] = Field(
        default_factory=list,
        max_length=MOST_DISKS,
        description="Extra disks. They survive a replace; one goes only when its line does, and that is confirmed.",
    )


class Claim(Written):
    from_: str = Field(alias="from")
    to: str
    protocol: Protocol = "any"
    port: Annotated[int, Field(ge=1, le=65535)] | None = None


class Expectation(Written):
    """Exactly one of the two."""

    allow: Claim | None = None
    deny: Claim | None = None


def _whole(value: object) -> object:
    """True and 1.0 are equal to 1, and are not the version 1."""
    if type(value) is not int:
        raise PydanticCustomError("literal_error", "not a whole number")
    return value


class Header(Written):
    """Everything but the named things."""

    version: Annotated[Literal[1], BeforeValidator(_whole)]
    cloud: Label
    fabric: Literal["direct", "vxlan"] = "direct"
    scheduler: Scheduler = Field(default_factory=Scheduler)
    migration: Migration = Field(default_factory=Migration)
    repair: bool = False
    expect: list[Expectation] = []


class Spec(Header):
    """The whole file. Sections may be empty."""

    hosts: dict[Name, Host] | None = None
    images: dict[Name, Image] | None = None
    networks: dict[Name, Network] | None = None
    flavors: dict[Name, Flavor] | None = None
    keypairs: dict[KeypairName, PublicKey] | None = None
    security_groups: dict[Name, Group] | None = None
    placement_groups: dict[Name, PlacementGroup] | None = None
    instances: dict[Label, Instance] | None = None
