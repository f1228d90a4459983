"""What will be done, decided to the last detail: an applier of this value has nothing left to choose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Literal

from cloudsync.model.cloud import Expectation
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import Place
from cloudsync.model.resources import Image, Instance
from cloudsync.model.snapshot import Drift


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    MOVE = "move"
    RENAME = "rename"
    DELETE = "delete"
    REPAIR = "repair"


class Disruption(IntEnum):
    """How much a change disturbs; ordered. `label` is the word that people and JSON see."""

    NONE = 0
    LIVE = 1
    NEXT_BOOT = 2
    MIGRATE = 3
    RESTART = 4
    REBUILD_KEEPS_DATA = 5
    DESTROYS_DATA = 6

    @property
    def label(self) -> str:
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One difference; `before` and `after` are short texts fit to be shown (never a secret)."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`reasons` are for showing only; nothing may branch on them. `before` is a digest of the observed object."""

    address: str
    action: Action
    fields: tuple[Field, ...] = ()
    reasons: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    destroys_data: bool = False
    disruption: Disruption = Disruption.NONE
    before: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Who runs where. `runner_up` is the next best host or None; `refusals` says per host why not, with numbers, of
    many hosts only for those that would have been preferred; `refusing` is how many refuse in all."""

    instance: str
    host: str
    runner_up: str | None = None
    refusals: Mapping[str, str] = field(default_factory=dict)
    refusing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    """`host` is where it stays, of one that should leave and has nowhere to go; None of one that is nowhere yet."""

    instance: str
    refusals: Mapping[str, str] = field(default_factory=dict)
    host: str | None = None


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
    """Root disk (kept when it is already there), domain, and power as `instance.state` says."""

    instance: Instance
    gateways: Mapping[str, str]
    cloud: str
    generation: int
    kind: Literal["create-instance"] = "create-instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateInstance(StepBase):
    """Stop the machine if it runs (forced after `grace` seconds), write its domain anew (name, sizes, NICs; disk grown,
    never shrunk), start it again if `instance.state` says so. `live`: it is as it should be but for what libvirt keeps
    of it, and runs on while that is written."""

    instance: Instance
    gateways: Mapping[str, str]
    cloud: str
    generation: int
    live: bool = False
    grace: float = 60.0
    kind: Literal["update-instance"] = "update-instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveInstance(StepBase):
    """Bring a machine and what its root disk holds from `source` to `host`, its image already there.

    `live`: it runs on meanwhile. Else it is stopped (forced after `grace` seconds) and written anew here, and started
    if `instance.state` says so. When it fails the machine is on the source as it was. The source's disk stays.
    `bandwidth` limits what travels, in bytes a second; 0 does not. `tls`: a live one travels by TLS.
    """

    source: str
    instance: Instance
    gateways: Mapping[str, str]
    cloud: str
    generation: int
    live: bool
    to: str = ""
    bandwidth: int = 0
    tls: bool = False
    grace: float = 60.0
    kind: Literal["move-instance"] = "move-instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartInstance(StepBase):
    uuid: str
    kind: Literal["start-instance"] = "start-instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopInstance(StepBase):
    """ACPI first; forced after `grace` seconds. `for_good`: it does not start with its host any more."""

    uuid: str
    grace: float = 60.0
    for_good: bool = False
    kind: Literal["stop-instance"] = "stop-instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteInstance(StepBase):
    """Forced off, undefined, its disks removed. Succeeds when any of it is gone already."""

    uuid: str
    kind: Literal["delete-instance"] = "delete-instance"


Step = (
    PutImage
    | DeleteImage
    | PutDocument
    | CreateInstance
    | UpdateInstance
    | MoveInstance
    | StartInstance
    | StopInstance
    | DeleteInstance
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSummary:
    """A host as the plan saw it: `digest` is of its document.

    `left_alone` counts its instances when it is out of reach.
    """

    status: str
    reason: str = ""
    generation: int = 0
    digest: str = ""
    left_alone: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """Each of `sources` with each of `targets`, by each of `services` (`tcp/443`, `icmp/8`, `any`,
    `any except tcp/443`).

    An end is `internet`, a CIDR or instance.NAME; an instance that stands on both sides is not meant to reach itself.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What becomes reachable, and what stops being so."""

    added: tuple[Exposed, ...] = ()
    removed: tuple[Exposed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """The rule that decides: `address` is its group's, `file` and `line` are where it stands, None when nowhere.

    `packets` is what the kernel has counted for it, None when the kernel was not asked.
    """

    address: str
    file: str | None = None
    line: int | None = None
    packets: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An expectation and whether it `holds`; `because` and `rule` are of the first pair that breaks it, else empty."""

    expectation: Expectation
    holds: bool
    because: str = ""
    rule: Cited | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    cloud: str
    commit: str = ""
    spec_digest: str = ""
    hosts: Mapping[str, HostSummary] = field(default_factory=dict)
    drift: tuple[Drift, ...] = ()
    changes: tuple[Change, ...] = ()
    placements: tuple[Placement, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    exposure: Exposure = Exposure()
    expectations: tuple[Checked, ...] = ()
    warnings: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    replaced: tuple[str, ...] = ()
    evacuated: tuple[str, ...] = ()
    format_version: int = 1

    @property
    def empty(self) -> bool:
        return not (self.steps or self.changes or self.drift)

    @property
    def homeless(self) -> tuple[Unplaced, ...]:
        return tuple(one for one in self.unplaced if one.host is None)

    @property
    def staying(self) -> tuple[Unplaced, ...]:
        return tuple(one for one in self.unplaced if one.host is not None)

    @property
    def destroys(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.destroys_data)

    @property
    def broken(self) -> tuple[Checked, ...]:
        """Expectations that would not hold."""
        return tuple(one for one in self.expectations if not one.holds)
