"""`plan`: what apply would do."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cloudsync.cli.exits import Exit
from cloudsync.cli.expectations import problems
from cloudsync.cli.formats import REPORTS, one_of
from cloudsync.cli.replacing import replacing
from cloudsync.cli.say import colour, complain, out, say
from cloudsync.cli.who import who
from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Plan
from cloudsync.model.snapshot import Snapshot
from cloudsync.pipeline import decide, drawn, get_ready, lineage, observe, warned


def run(
    path: Path,
    save: Path | None,
    style: str,
    detailed: bool,
    snapshot_file: Path | None,
    replaced: Sequence[str] = (),
    lost: tuple[str, ...] = (),
    key: Path | None = None,
    signers: Path | None = None,
    targets: tuple[str, ...] = (),
) -> int:
    """Show the plan, with the hosts `lost` given up, or only its part about `targets`, and save it signed with `key`.

    2 with `detailed` when something would be done; 1 when an instance has no place or an expectation is broken.
    """
    from cloudsync.spec.load import load

    one_of(style, *REPORTS)
    cloud = replace(replacing(load(path), replaced), evacuate=lost, targets=targets)
    snapshot = snapshot_of(cloud, snapshot_file, signers)
    plan = warned(decide(cloud, snapshot, who()), lineage(cloud, snapshot))
    _show_of(plan, cloud, snapshot, style)
    if save:
        from cloudsync.cli.store import save_plan

        save_plan(plan, save, key)
        say(f"saved; carry it out with: cloudsync -f {path} apply {save}")
    if plan.broken:
        complain(problems(plan.broken, told=style == "text"))
    if plan.unplaced or plan.broken:
        return Exit.FAILED
    return Exit.CHANGES if detailed and not plan.empty else Exit.DONE


def _show_of(plan: Plan, cloud: Cloud, snapshot: Snapshot, style: str) -> None:
    """The same, as a page with its picture if that is wanted."""
    if style != "html":
        show(plan, style)
        return
    from cloudsync.render.plan_html import plan as page

    out(page(plan, drawn(plan, cloud, snapshot)))


def show(plan: Plan, style: str = "text") -> None:
    """Print a plan on stdout."""
    if style == "json":
        from cloudsync.render.plan_json import document

        out(json.dumps(document(plan), indent=2))
    elif style == "markdown":
        from cloudsync.render.plan_markdown import plan as markdown

        out(markdown(plan))
    else:
        from cloudsync.render.plan_text import text

        out(text(plan, colour()))


def snapshot_of(cloud: Cloud, file: Path | None, signers: Path | None) -> Snapshot:
    """What is there, or what was when it was saved."""
    if file:
        from cloudsync.cli.store import load_snapshot

        return load_snapshot(file, signers)
    from cloudsync.hosts.fleet import Fleet

    with Fleet.open(cloud) as fleet:
        get_ready()
        return observe(fleet)
