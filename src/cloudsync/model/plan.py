"""What will be done, decided to the last detail: an applier of this value has nothing left to choose."""

from collections.abc import Mapping
from dataclasses import field
from enum import IntEnum, StrEnum

from cloudsync.model.cited import Cited
from cloudsync.model.cloud import Expectation
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import Place
from cloudsync.model.snapshot import Drift
from cloudsync.model.step import Step


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
    """`reasons` are for showing only; nothing may branch on them. `before` is a digest of the observed object.

    `disks` are those that it destroys: `root`, and data disks by name.
    """

    address: str
    action: Action
    fields: tuple[Field, ...] = ()
    reasons: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    destroys_data: bool = False
    disks: tuple[str, ...] = ()
    disruption: Disruption = Disruption.NONE
    before: str = ""

    @property
    def loss(self) -> str:
        """Whose disks go, and which, where that is not just the root disk."""
        return self.address if self.disks in ((), ("root",)) else f"{self.address} ({', '.join(self.disks)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A change that is not made for now; `why` is one word."""

    why: str
    change: Change


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
    """What becomes reachable, and what stops being so. `untold` is how many pairs were too many to be compared: those
    with the internet are compared first, and instances among themselves last."""

    added: tuple[Exposed, ...] = ()
    removed: tuple[Exposed, ...] = ()
    untold: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An expectation and whether it `holds`; `because` and `rule` are of the first pair that breaks it, else empty."""

    expectation: Expectation
    holds: bool
    because: str = ""
    rule: Cited | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """`instances` of `group` (a base or a placement group) that are taken down in this order, `at_once` of them at a
    time. `awaited` must be back before the first of them."""

    group: str
    at_once: int
    instances: tuple[str, ...]
    awaited: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mass:
    """`going` are more than half of the `of` instances that `group` (a base, a placement group, or `cloud`) has: they
    are deleted, or made anew."""

    group: str
    going: tuple[str, ...]
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`held` and `notes` are said, and nothing is done about them: a plan with nothing else is empty. `targets` are
    what a person wants of all that the spec asks for; empty for all of it."""

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
    rolls: tuple[Roll, ...] = ()
    mass: tuple[Mass, ...] = ()
    held: tuple[Held, ...] = ()
    notes: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    replaced: tuple[str, ...] = ()
    evacuated: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
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
