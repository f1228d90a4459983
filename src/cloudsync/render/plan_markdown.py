"""A plan, or what a change means, as one comment of a pull request: the totals first, all else folded, and what does
not fit counted. `plan` and `diff` show it; whatever the spec says is text in it.
"""

from cloudsync.model.difference import Difference
from cloudsync.model.plan import Plan
from cloudsync.render.markdown import folded, inline, needed, shares
from cloudsync.render.plan_text import Section, texts
from cloudsync.render.report import Report, of_difference, of_plan

LARGEST = 65_000
"""GitHub takes 65,535 characters in a comment; a recipe may add a line of its own."""

_OPEN = ("Exposure", "Expectations", "No place", "Warnings")


def plan(found: Plan) -> str:
    """What `apply` would do."""
    return _comment(of_plan(found))


def difference(found: Difference) -> str:
    """What a change of the spec means."""
    return _comment(of_difference(found))


def _comment(found: Report) -> str:
    """The first line tells a script which comment is its own."""
    top = [f"<!-- cloudsync {found.kind} -->", f"### {found.lead} {inline(found.cloud)}"]
    files = " → ".join(inline(one) for one in found.files)
    top += [f"{files}, {found.sides}" if files else ""]
    top += [f"the snapshot shows {inline(found.snapshot)}" if found.snapshot else "", found.fate]
    top += [f"**{inline(found.totals)}**" if found.totals else "", *found.meaning]
    parts = [(one.title, _signed(one)) for one in found.sections]
    sizes = [needed(title, shown) for title, shown in parts]
    room = LARGEST - sum(len(one) + 2 for one in top)
    given = shares(sizes, room - 2 * len(parts))
    top += [folded(*part, share, part[0] in _OPEN) for part, share in zip(parts, given, strict=True)]
    return "\n\n".join(one for one in top if one) + "\n"


def _signed(section: Section) -> list[str]:
    """The sign in the first column, where `diff` looks for the colour."""
    signs = [f"{row[0].ljust(3)} " if row[0] else "" for row in section.rows]
    return [f"{sign}{text.strip()}" for sign, text in zip(signs, texts(section), strict=True)]
