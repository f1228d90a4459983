"""What an apply tells while it runs; each names its step."""

from cloudsync.model.dataclass import dataclass
from cloudsync.model.step import Step


@dataclass(frozen=True, slots=True)
class Started:
    step: Step


@dataclass(frozen=True, slots=True)
class Progressed:
    step: Step
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    step: Step


@dataclass(frozen=True, slots=True)
class Failed:
    """`left` is what it leaves behind, and who takes care of that."""

    step: Step
    message: str
    hint: str = ""
    left: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """`because` names the step that failed, or says that all was stopped."""

    step: Step
    because: str


Event = Started | Progressed | Finished | Failed | Skipped
