"""What a change of the spec means, by what Git has alone or against a snapshot: the value behind `diff`."""

from enum import StrEnum

from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import Applied
from cloudsync.model.plan import Plan


class Fate(StrEnum):
    """What became of the spec file. `unreadable`: it was broken in BASE, so that nothing can be compared."""

    THERE = "there"
    NEW = "new"
    REMOVED = "removed"
    MOVED = "moved"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """`commit` is empty for the working tree, `file` is the spec's path in the repository."""

    commit: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """An instance (by its key in the spec) that comes as one goes which is the same but for the name."""

    name: str
    was: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`plan` has no hosts, steps or placements, for nobody was asked, unless there was a `snapshot`: then this is what
    that shows as applied last, empty where it shows nothing."""

    base: Side
    head: Side
    fate: Fate
    plan: Plan
    alike: tuple[Alike, ...] = ()
    snapshot: Applied | None = None


def shown(last: Applied) -> str:
    """What a snapshot shows as applied `last`, and when that was."""
    if not last.at:
        return "nothing that was applied"
    commit = f"commit {last.commit[:12]}" if last.commit else "a spec of no commit"
    local = " with local changes" if last.commit and last.dirty else ""
    return f"{commit}{local}, applied at {last.at}"
