"""Whether the spec is older than what is deployed, by Git: what the plan warns of and apply refuses. The pipeline asks.

What cannot be compared is refused as well: a colleague's commit that nobody fetched is the usual way to be behind. Only
local changes that were deployed are no reason to refuse, for they may be in any later commit.
"""

from pathlib import Path

from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import Applied
from cloudsync.spec.files import Folder
from cloudsync.spec.git import apart, shallow, unread
from cloudsync.spec.words import count, printable

FORCE = "or add --force to apply it all the same"


@dataclass(frozen=True, slots=True)
class Lineage:
    """What is wrong with applying the spec on top of what is deployed; `refused` unless the person insists."""

    message: str
    hint: str
    refused: bool = True

    @property
    def warning(self) -> str:
        return f"{self.message}; {self.hint}"


def lineage(cloud: Cloud, deployed: Applied | None) -> Lineage | None:
    """None where nothing is wrong: the spec is of the deployed commit or a later one, or nothing deployed has one."""
    if deployed is None or not deployed.commit:
        return _unnamed(cloud)
    if cloud.commit == deployed.commit:
        return None if cloud.dirty else _dirty(deployed)
    what = called(deployed)
    if not cloud.commit:
        why = _unnamed(cloud)
        return Lineage(
            f"the spec has no commit that Git tells, so it cannot be seen whether it is older than {what}",
            f"{why.hint if why else 'apply it from a clone of its repository'}, {FORCE}",
        )
    top = Folder.of(Path(cloud.path)).fence
    gap = apart(top, cloud.commit, deployed.commit)
    if gap is None or (all(gap) and shallow(top)):
        return _unknown(cloud, what, shallow(top))
    ahead, behind = gap
    if not behind:
        return _dirty(deployed)
    mine, missing = f"the spec is of commit {cloud.commit[:12]}", count(behind, "commit")
    if not ahead:
        return Lineage(f"{mine}, {missing} older than {what}", f"pull first, {FORCE}")
    return Lineage(
        f"{mine}, which has parted from {what}: {missing} of that line not in it",
        f"merge or rebase first, {FORCE}",
    )


def _unnamed(cloud: Cloud) -> Lineage | None:
    """Where Git knows the commit and does not say it, later applies cannot be held against this one."""
    folder = Folder.of(Path(cloud.path))
    error = unread(folder.fence) if folder.git and not cloud.commit else None
    return Lineage(f"no commit is recorded: {error.message}", error.hint, refused=False) if error else None


def _unknown(cloud: Cloud, what: str, short: bool) -> Lineage:
    here = "this shallow clone does not reach back to" if short else "this clone does not have"
    way = (
        "`git fetch --unshallow` (in CI: fetch the whole history)" if short else "`git fetch`, then pull what is newer"
    )
    return Lineage(
        f"it cannot be seen whether the spec, of commit {cloud.commit[:12]}, is older than {what}: {here} that commit",
        f"{way}, {FORCE}",
    )


def _dirty(deployed: Applied) -> Lineage | None:
    if not deployed.dirty:
        return None
    return Lineage(
        f"what is deployed is {called(deployed)} with local changes on top of it",
        "what of them was not committed since is undone here",
        refused=False,
    )


def called(deployed: Applied) -> str:
    """The commit, by whom and when."""
    return printable(f"{deployed.commit[:12]}, which {deployed.by or 'somebody'} applied at {deployed.at}")
