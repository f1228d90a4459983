"""`plan --absorb`: what somebody changed on the hosts goes into the spec, as a diff to commit. Hosts are only read.

Each change is tried on a copy beside the spec: it is taken when the copy loads, plans, and drifts less for it. The spec
itself is replaced once, in one step, by the last copy that passed.
"""

import difflib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cloudsync.cli.exits import Exit
from cloudsync.cli.plan import snapshot_of
from cloudsync.cli.say import out, say
from cloudsync.cli.who import who
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Disruption, Plan
from cloudsync.model.problem import CloudsyncError, SpecError
from cloudsync.model.snapshot import Drift, Snapshot
from cloudsync.pipeline import decide
from cloudsync.planner.absorb import Candidate, candidates
from cloudsync.spec.change import changed
from cloudsync.spec.document import Document, read
from cloudsync.spec.edit import write
from cloudsync.spec.files import Folder


@dataclass(frozen=True, slots=True)
class _Tried:
    """A spec and what would be planned for it."""

    document: Document
    plan: Plan


def run(path: Path, detailed: bool, snapshot_file: Path | None, signers: Path | None) -> int:
    """Write what can be written and list the rest; 2 with `detailed` when something drifts still."""
    from cloudsync.spec.load import load

    cloud = load(path)
    snapshot = snapshot_of(cloud, snapshot_file, signers)
    now = before = _Tried(read(path), decide(cloud, snapshot, who()))
    done: list[str] = []
    refused: dict[str, str] = {}
    for one in candidates(cloud, snapshot):
        if not _drifting(now.plan.drift, one):
            continue
        try:
            now = _tried(path, now, one, snapshot)
            done.append(f"absorbed: {', '.join(one.addresses)}: {one.words}")
        except CloudsyncError as error:
            refused |= dict.fromkeys(one.addresses, _reason(path, error))
    if now is not before:
        write(path.resolve(), now.document.data, before.document.data)
        out(_diff(path, before.document.text, now.document.text))
    _report(path, done, now.plan.drift, refused)
    return Exit.CHANGES if detailed and now.plan.drift else Exit.DONE


def _tried(path: Path, now: _Tried, one: Candidate, snapshot: Snapshot) -> _Tried:
    """CloudsyncError says why not."""
    if one.refused:
        raise CloudsyncError(one.refused)
    edits = one.edits(now.document) if one.edits else None
    if not edits:
        raise CloudsyncError("the spec has no exact words for it")
    document = now.document
    for edit in edits:
        document = changed(document, edit)
    plan = _planned(path, document, one, snapshot)
    left = {_key(found) for found in plan.drift}
    gone = [found for found in now.plan.drift if _key(found) not in left]
    if not left < {_key(found) for found in now.plan.drift} or not _drifting(gone, one):
        raise CloudsyncError("it would drift all the same")
    if max(_disruptions(plan, one)) > max(Disruption.LIVE, *_disruptions(now.plan, one)):
        raise CloudsyncError("it would disturb the guest to have it in the spec")
    return _Tried(document, plan)


def _planned(path: Path, document: Document, one: Candidate, snapshot: Snapshot) -> Plan:
    """Of a copy that lies where the spec does: it may name files."""
    from cloudsync.spec.load import load

    target = path.resolve()
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".yaml")
    except OSError as error:
        raise CloudsyncError(f"{target.parent}: {(error.strerror or 'no reason given').lower()}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(document.data)
        cloud = load(Path(name))
    finally:
        Path(name).unlink(missing_ok=True)
    if one.group and cloud.groups[one.group].rules != one.rules:
        raise CloudsyncError("it is only a part of what an entry says, or no entry says it: there are no exact words")
    return decide(cloud, snapshot, who())


def _key(found: Drift) -> tuple[str, str, str]:
    """What will be done about it may change with others."""
    return found.address, found.host, found.message


def _drifting(drift: Sequence[Drift], one: Candidate) -> bool:
    return any(found.address in one.addresses for found in drift)


def _disruptions(plan: Plan, one: Candidate) -> list[Disruption]:
    return [Disruption.NONE, *(change.disruption for change in plan.changes if change.address in one.addresses)]


def _reason(path: Path, error: CloudsyncError) -> str:
    """A place is told as one of the spec: nobody sees the copy."""
    if not isinstance(error, SpecError):
        return error.message
    first = error.problems[0]
    return f"{first.message} ({path}:{first.place.line}:{first.place.column})" if first.place else first.message


def _diff(path: Path, before: str, after: str) -> str:
    """As `git apply` takes it, by the path that Git has."""
    folder = Folder.of(path)
    name = path.resolve().relative_to(folder.fence).as_posix()
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _report(path: Path, done: Sequence[str], left: Sequence[Drift], refused: dict[str, str]) -> None:
    for line in done:
        say(line)
    for one in left:
        why = refused.get(one.address, "the spec has no word for it")
        say(f"left: {one.address}  {one.host}: {one.message}: {why}")
    if done:
        rest = (
            "sets back what is left above and can be" if any(one.repaired for one in left) else "has nothing to restore"
        )
        say(f"{path} is changed: look at the diff and commit it; the next apply {rest}")
    elif not left:
        say("nothing drifted")
