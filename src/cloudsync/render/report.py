"""What a report of a plan, or of a change of the spec, says and in which order: what disturbs most comes first.

plan_markdown.py and plan_html.py show it. Nothing in it is safe to be shown as it is, but for what is said to be ours.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from cloudsync.model.dataclass import dataclass
from cloudsync.model.difference import Difference, Fate, shown
from cloudsync.model.plan import Action, Disruption, Plan
from cloudsync.render.diff_text import fate, guesses, side
from cloudsync.render.paint import Paint
from cloudsync.render.plan_text import Section, hosts, listing, totals

_HARMLESS = (Disruption.NONE, Disruption.LIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`kind`, `lead`, `sides`, `meaning` and the titles of sections are ours; `files` are what the spec was called, if
    that was another name, and is. `snapshot` is what one shows as applied last, empty without one. `totals` is empty
    where nothing is planned."""

    kind: str
    lead: str
    cloud: str
    files: tuple[str, ...] = ()
    sides: str = ""
    snapshot: str = ""
    fate: str = ""
    totals: str = ""
    meaning: tuple[str, ...] = ()
    sections: tuple[Section, ...]


def of_plan(found: Plan) -> Report:
    """What `apply` would do."""
    return _report("plan", "Plan of", found, _hosts(found))


def _hosts(found: Plan) -> Section:
    there = tuple(("", one) for one in hosts(found, Paint(False)).split("  ") if one)
    return Section("Hosts", ("Host",), there, "{}")


def of_difference(found: Difference) -> Report:
    """What a change of the spec means."""
    renamed = Section("Renamed?", ("May be meant",), tuple(("", one) for one in guesses(found)), "{}")
    plain = (
        _report("diff", "What this change means for", found.plan, renamed)
        if found.snapshot is None
        else _report("plan", "Plan of", found.plan, renamed, _hosts(found.plan))
    )
    gone = found.fate is Fate.REMOVED
    return replace(
        plain,
        files=(found.base.file, found.head.file) if found.fate is Fate.MOVED else (found.head.file,),
        sides=f"{side(found.base)} → {side(found.head)}",
        snapshot=shown(found.snapshot) if found.snapshot is not None else "",
        fate="" if found.fate in (Fate.THERE, Fate.MOVED) else " ".join(fate(found)),
        totals="" if gone else plain.totals,
        meaning=() if gone else plain.meaning,
    )


def _report(kind: str, lead: str, found: Plan, *more: Section) -> Report:
    return Report(
        kind=kind,
        lead=lead,
        cloud=found.cloud,
        totals=totals(found, kind.capitalize()),
        meaning=tuple(line for line in _meaning(found) if line),
        sections=tuple(one for one in (*_sections(found), *more) if one.rows),
    )


def _meaning(found: Plan) -> Iterator[str]:
    """How many changes disturb how much, and what is wrong."""
    told = [one for one in found.changes if one.action is not Action.REPAIR]
    count = Counter(one.disruption for one in told)
    classes = [f"{count[one]} × {one.label}" for one in sorted(count, reverse=True) if one not in _HARMLESS]
    yield ", ".join(classes)
    wrong = {"expectation does not hold": len(found.broken), "instance has no place": len(found.homeless)}
    yield ", ".join(f"❌ {number} × {what}" for what, number in wrong.items() if number)


def _sections(found: Plan) -> Iterator[Section]:
    yield from listing(replace(found, changes=tuple(sorted(found.changes, key=lambda one: -one.disruption))))
    yield Section("Warnings", ("Warning",), tuple(("!", one) for one in found.warnings), "{}")
    yield Section("Notes", ("Note",), tuple(("", one) for one in found.notes), "{}")
