"""`diff`: what a change of the spec means, from Git alone; with a snapshot, what applying it would do."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from cloudsync.cli.exits import Exit
from cloudsync.cli.expectations import problems
from cloudsync.cli.formats import REPORTS, one_of
from cloudsync.cli.say import colour, complain, out
from cloudsync.model.difference import Difference, Fate
from cloudsync.model.plan import Plan
from cloudsync.model.problem import CloudsyncError, SpecError

if TYPE_CHECKING:
    from cloudsync.spec.versions import Version


def run(path: Path, span: str, style: str, detailed: bool, snapshot: Path | None, signers: Path | None) -> int:
    """Show it. 2 with `detailed` when something changes; 1 when HEAD is broken, or an expectation of it is."""
    from cloudsync.pipeline import compare, drawn_apart
    from cloudsync.spec.versions import versions

    one_of(style, *REPORTS)
    was, now = versions(path, span)
    if now.problems:
        raise SpecError(now.problems)
    if was.problems:
        complain(was.problems)
    if snapshot:
        return _planned(was, now, style, detailed, snapshot, signers)
    found = compare(was, now)
    if style == "html":
        from cloudsync.render.plan_html import difference

        out(difference(found, drawn_apart(found, was, now)))
    else:
        _show(found, style)
    changed = bool(found.plan.changes) or found.fate is not Fate.THERE
    return _ended(found.plan, now, changed and detailed)


def _ended(plan: Plan, now: "Version", changed: bool) -> int:
    if plan.broken:
        complain(problems(plan.broken, now.document))
    if plan.broken or plan.unplaced:
        return Exit.FAILED
    return Exit.CHANGES if changed else Exit.DONE


def _planned(was: "Version", now: "Version", style: str, detailed: bool, file: Path, signers: Path | None) -> int:
    """Against what was when the snapshot was saved."""
    from cloudsync.cli.plan import show_of
    from cloudsync.cli.store import load_snapshot
    from cloudsync.cli.who import who
    from cloudsync.pipeline import foreseen

    if now.cloud is None:
        raise CloudsyncError(f"{now.file} is removed: there is nothing to plan", "leave out --snapshot")
    snapshot = load_snapshot(file, signers)
    cloud, plan = foreseen(was.cloud, now.cloud, snapshot, who())
    show_of(plan, cloud, snapshot, style)
    return _ended(plan, now, detailed and not plan.empty)


def _show(found: Difference, style: str) -> None:
    if style == "json":
        from cloudsync.render.diff_json import document

        out(json.dumps(document(found), indent=2))
    elif style == "markdown":
        from cloudsync.render.plan_markdown import difference

        out(difference(found))
    else:
        from cloudsync.render.diff_text import text

        out(text(found, colour()))
