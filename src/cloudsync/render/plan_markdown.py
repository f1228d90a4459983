"""A plan, or what a change means, as one comment of a pull request: the totals first, all else folded, and what does
not fit counted. `plan` and `diff` show it; whatever the spec says is text in it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from cloudsync.model.difference import Difference, Fate
from cloudsync.model.plan import Action, Disruption, Plan
from cloudsync.render.diff_text import fate, guesses, side
from cloudsync.render.markdown import folded, inline, needed, shares
from cloudsync.render.paint import Paint
from cloudsync.render.plan_text import hosts, sections, totals

LARGEST = 65_000
"""GitHub takes 65,535 characters in a comment; a recipe may add a line of its own."""

_OPEN = ("Exposure", "Expectations", "No place")
_HARMLESS = (Disruption.NONE, Disruption.LIVE)


def plan(found: Plan) -> str:
    """What `apply` would do."""
    there = [one for one in hosts(found, Paint(False)).split("  ") if one]
    return _comment("plan", [f"### Plan of {inline(found.cloud)}"], found, [("Hosts", there)])


def difference(found: Difference) -> str:
    """What a change of the spec means."""
    moved = f"{inline(found.base.file)} → " if found.fate is Fate.MOVED else ""
    head = [f"### What this change means for {inline(found.plan.cloud)}"]
    head.append(f"{moved}{inline(found.head.file)}, {side(found.base)} → {side(found.head)}")
    head += [" ".join(fate(found))] if found.fate not in (Fate.THERE, Fate.MOVED) else []
    return _comment("diff", head, found.plan, [("Renamed?", list(guesses(found)))], found.fate is Fate.REMOVED)


def _comment(kind: str, head: list[str], found: Plan, more: list[tuple[str, list[str]]], is_gone: bool = False) -> str:
    """The first line tells a script which comment is its own."""
    top = [f"<!-- cloudsync {kind} -->", *head]
    top += [] if is_gone else [f"**{inline(totals(found, kind.capitalize()))}**", *_meaning(found)]
    parts = [*_parts(found), *((title, lines) for title, lines in more if lines)]
    sizes = [needed(title, lines) for title, lines in parts]
    room = LARGEST - sum(len(one) + 2 for one in top)
    given = shares(sizes, room - 2 * len(parts))
    top += [folded(*part, share, part[0] in _OPEN) for part, share in zip(parts, given, strict=True)]
    return "\n\n".join(one for one in top if one) + "\n"


def _meaning(found: Plan) -> Iterator[str]:
    """How many changes disturb how much, and what is wrong. No name is among the words."""
    told = [one for one in found.changes if one.action is not Action.REPAIR]
    count = Counter(one.disruption for one in told)
    classes = [f"{count[one]} × {one.label}" for one in sorted(count, reverse=True) if one not in _HARMLESS]
    yield ", ".join(classes)
    wrong = {"expectation does not hold": len(found.broken), "instance has no place": len(found.homeless)}
    yield ", ".join(f"❌ {number} × {what}" for what, number in wrong.items() if number)


def _parts(found: Plan) -> Iterator[tuple[str, list[str]]]:
    """What disturbs most comes first: what is left out at the end is the least of it."""
    ordered = replace(found, changes=tuple(sorted(found.changes, key=lambda one: -one.disruption)))
    for title, lines in sections(ordered, Paint(False)):
        yield title, [_signed(line) for line in lines]
    if found.warnings:
        yield "Warnings", [f"! {one}" for one in found.warnings]
    if found.notes:
        yield "Notes", list(found.notes)


def _signed(line: str) -> str:
    """Its sign in the first column, where `diff` looks for the colour."""
    sign, space, rest = line.strip().partition(" ")
    return f"{sign.ljust(3)} {rest.strip()}" if space and not sign[0].isalnum() else line.strip()
