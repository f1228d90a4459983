"""The acts that a plan is carried out by, one on one host each, decided to the last detail. Part of Plan."""

from collections.abc import Mapping
from typing import Literal

from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.resources import DataDisk, Image, Instance
from cloudsync.model.snapshot import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBase:
    """`id` is unique in the plan; `waits_for` are ids that must have succeeded first."""

    id: str
    host: str
    address: str
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PutImage(StepBase):
    """Have `image` in the host's cache: fetched by the agent, or streamed from a file of the controller."""

    image: Image
    kind: Literal["put-image"] = "put-image"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteImage(StepBase):
    sha256: str
    kind: Literal["delete-image"] = "delete-image"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutDocument(StepBase):
    """Replace the host's document. `base` is the generation it replaces; user-data is filled in when it is sent."""

    document: HostDocument
    base: int
    kind: Literal["put-document"] = "put-document"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateInstance(StepBase):
    """Root disk and data disks (kept where they are already there), domain, and power as `instance.state` says.

    `most` is what the machine may grow to while it runs; what it has is the least. `autostart`: it starts with its
    host.
    """

    instance: Instance
    gateways: Mapping[str, str]
    cloud: str
    generation: int
    autostart: bool = True
    most: Usage = Usage()
    kind: Literal["create-instance"] = "create-instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateInstance(StepBase):
    """Stop the machine if it runs (forced after `grace` seconds), write its domain anew (name, sizes, NICs; disk grown,
    never shrunk), start it again if `instance.state` says so. `live`: it runs on and grows meanwhile, with nothing else
    to change but what libvirt keeps of it and data disks, which are attached and grown. It fails rather than stop the
    machine. Data disks that are not there are made; none is deleted. `most` and `autostart` are those of
    CreateInstance."""

    instance: Instance
    gateways: Mapping[str, str]
    cloud: str
    generation: int
    autostart: bool = True
    most: Usage = Usage()
    live: bool = False
    grace: float = 60.0
    kind: Literal["update-instance"] = "update-instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveInstance(StepBase):
    """Bring a machine and what its disks hold from `source` to `host`, its image already there. `carries` are the ids
    of data disks that come from there; those that it does not have yet are made.

    `live`: it runs on meanwhile. Else it is stopped (forced after `grace` seconds) and written anew here, and started
    if `instance.state` says so. When it fails the machine is on the source as it was. The source's disk stays.
    `bandwidth` limits what travels, in bytes a second; 0 does not. `tls`: a live one travels by TLS.
    `most` and `autostart` are as in CreateInstance; one that moves live keeps until its next start what it was started
    with.
    """

    source: str
    instance: Instance
    gateways: Mapping[str, str]
    cloud: str
    generation: int
    live: bool
    autostart: bool = True
    most: Usage = Usage()
    carries: tuple[str, ...] = ()
    to: str = ""
    bandwidth: int = 0
    tls: bool = False
    grace: float = 60.0
    kind: Literal["move-instance"] = "move-instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartInstance(StepBase):
    """`for_good`: it starts with its host from now on."""

    uuid: str
    for_good: bool = False
    kind: Literal["start-instance"] = "start-instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopInstance(StepBase):
    """ACPI first; forced after `grace` seconds. `for_good`: it does not start with its host any more."""

    uuid: str
    grace: float = 60.0
    for_good: bool = False
    kind: Literal["stop-instance"] = "stop-instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitInstance(StepBase):
    """Until an instance is back: its guest has told the end of its boot, or its ssh port answers from its host. Fails
    after `timeout` seconds, and once nothing of it runs that could come back."""

    uuid: str
    timeout: float = 600.0
    kind: Literal["await-instance"] = "await-instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteInstance(StepBase):
    """Forced off, undefined, its root disk removed, and the data disks with the ids `disks`: no others. Succeeds when
    any of it is gone already."""

    uuid: str
    disks: tuple[str, ...] = ()
    kind: Literal["delete-instance"] = "delete-instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteDisk(StepBase):
    """Taken out of the machine `uuid`, if that is there and has it, then removed. HostError when a guest that runs does
    not let go of it. Succeeds when any of it is gone already."""

    uuid: str
    disk: DataDisk
    kind: Literal["delete-disk"] = "delete-disk"


Step = (
    PutImage
    | DeleteImage
    | PutDocument
    | CreateInstance
    | UpdateInstance
    | MoveInstance
    | StartInstance
    | StopInstance
    | AwaitInstance
    | DeleteInstance
    | DeleteDisk
)
