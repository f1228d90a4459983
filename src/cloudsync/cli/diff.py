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
from cloudsync.model.problem import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudsync.model.snapshot import Snapshot
    from cloudsync.reach.picture import Picture
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
        from cloudsync.cli.store import load_snapshot

        return _planned(path, (was, now), style, detailed, load_snapshot(snapshot, signers))
    found = compare(was, now)
    _show(found, style, lambda: drawn_apart(found, was, now))
    changed = bool(found.plan.changes) or found.fate is not Fate.THERE
    return _ended(found.plan, now, changed and detailed, style)


def _ended(plan: Plan, now: "Version", changed: bool, style: str) -> int:
    if plan.broken:
        complain(problems(plan.broken, now.document, told=style == "text"))
    if plan.broken or plan.unplaced:
        return Exit.FAILED
    return Exit.CHANGES if changed else Exit.DONE


def _planned(path: Path, ends: "tuple[Version, Version]", style: str, detailed: bool, snapshot: "Snapshot") -> int:
    """Against what was when the snapshot was saved."""
    from cloudsync.cli.who import who
    from cloudsync.pipeline import drawn, foreseen

    was, now = ends
    cloud, found = foreseen(path, was, now, snapshot, who())
    _show(found, style, lambda: drawn(found.plan, cloud, snapshot))
    return _ended(found.plan, now, detailed and not found.plan.empty, style)


def _show(found: Difference, style: str, picture: "Callable[[], Picture | None]") -> None:
    if style == "html":
        from cloudsync.render.plan_html import difference as page

        out(page(found, picture()))
    elif style == "json":
        from cloudsync.render.diff_json import document

        out(json.dumps(document(found), indent=2))
    elif style == "markdown":
        from cloudsync.render.plan_markdown import difference

        out(difference(found))
    else:
        from cloudsync.render.diff_text import text

        out(text(found, colour()))
