"""What the watch tells while it runs: to the screen, the JSON lines, metrics, systemd, a status hook. They change
nothing of what it does."""

from collections.abc import Callable
from enum import StrEnum

from cloudsync.apply.events import Event
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Change, Held, Plan, Unplaced
from cloudsync.model.problem import Problem
from cloudsync.watch.relapse import Resting
from cloudsync.watch.trigger import Trigger


class Ending(StrEnum):
    """How a round ended. Held changes, and instances without a place, say nothing of that: they are
    counted apart."""

    QUIET = "quiet"
    APPLIED = "applied"
    BROKEN = "broken"
    REFUSED = "refused"
    FAILED = "failed"
    LOCKED = "locked"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Ready:
    """It listens: from now on nothing is missed. Told once."""


@dataclass(frozen=True, slots=True)
class RoundBegan:
    number: int
    triggers: tuple[Trigger, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """What this round carries out. `plan.held` is what waits for a person."""

    number: int
    plan: Plan


@dataclass(frozen=True, slots=True)
class Stepped:
    """A step of the round that is being carried out; told from several threads."""

    number: int
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundEnded:
    """`seconds` since the round began. `drift` counts what was found to differ, `repaired` or not; `made` are the
    changes carried out, `held` those that wait, `unplaced` the instances that no host takes. `mended` are addresses of
    which something was put right, or was to be, `resting` those of which that is not the turn yet. `problems` and
    `message` with `hint` say why it is not applied. `silent` are hosts that do not answer. `again` is in how many
    seconds it is tried again by itself, None for not.
    """

    number: int
    triggers: tuple[Trigger, ...]
    ending: Ending
    seconds: float
    commit: str = ""
    dirty: bool = False
    drift: int = 0
    repaired: int = 0
    made: tuple[Change, ...] = ()
    mended: tuple[str, ...] = ()
    resting: tuple[Resting, ...] = ()
    held: tuple[Held, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    problems: tuple[Problem, ...] = ()
    message: str = ""
    hint: str = ""
    silent: tuple[str, ...] = ()
    again: float | None = None


@dataclass(frozen=True, slots=True)
class Beat:
    """The loop lives: told every few seconds, whether a round runs or not."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The last word. `interrupted`: a round was running, and steps of it were left for the next apply."""

    interrupted: bool


Happening = Ready | RoundBegan | Planned | Stepped | RoundEnded | Beat | Ended
Observer = Callable[[Happening], None]
"""May be called from any thread, one call at a time. What it raises is dropped; what it takes, the loop waits for."""
