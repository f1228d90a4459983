"""A plan, or what a change means, as one page: the totals, the picture before and after, and all that is said of it.

It asks for nothing: no script, no address, no font; a policy in it forbids what a stranger's text would try all the
same. `plan` and `diff` show it.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from cloudsync.model.difference import Difference
from cloudsync.model.plan import Plan
from cloudsync.reach.picture import Mark, Picture, Standing
from cloudsync.reach.trim import trim
from cloudsync.render.graph_svg import STYLE as DRAWN
from cloudsync.render.graph_svg import figure
from cloudsync.render.html import XHTML, Html, joined, tag
from cloudsync.render.markdown import shortened
from cloudsync.render.names import listed
from cloudsync.render.page_style import STYLE
from cloudsync.render.plan_text import Section
from cloudsync.render.report import Report, of_difference, of_plan

MOST_ROWS = 1_000
MOST_NODES, MOST_FLOWS = 24, 24
"""What fits on a sheet of paper and can still be read."""

_FIRST = ("Expectations", "No place")

_MEANT = {
    "+": "new",
    "~": "changed",
    "-/+": "made anew",
    ">": "moved",
    "-": "removed",
    "−": "removed",
    "!": "attention",
    "✗": "broken",
    "?": "no place",
}
_EXPOSED = {"+": "opened", "-": "closed"}
_KINDS = {"+": "new", "~": "changed", "-/+": "gone", ">": "changed", "-": "gone", "−": "gone", "!": "changed"}


def plan(found: Plan, picture: Picture) -> str:
    """What `apply` would do."""
    return _page(of_plan(found), picture)


def difference(found: Difference, picture: Picture | None) -> str:
    """What a change of the spec means; without a picture where the spec is removed."""
    return _page(of_difference(found), picture)


def _page(found: Report, picture: Picture | None) -> str:
    style = Html(f"{STYLE}\n{DRAWN}")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{found.lead} {found.cloud}"),
        tag("style", style),
    )
    first = [_section(one) for one in found.sections if one.title in _FIRST]
    rest = [_section(one) for one in found.sections if one.title not in _FIRST]
    body = tag("body", tag("header", *_heading(found)), tag("main", *first, *_drawn(picture), *rest))
    return f"<!DOCTYPE html>\n{tag('html', head, body, xmlns=XHTML, lang='en')}\n"


def _heading(found: Report) -> Iterator[Html]:
    yield tag("h1", f"{found.lead} ", tag("code", found.cloud))
    if found.files:
        files = joined(*(tag("code", one) for one in found.files), by=" → ")
        yield tag("p", files, f", {found.sides}", class_="sides")
    if found.snapshot:
        yield tag("p", "the snapshot shows ", tag("code", found.snapshot), class_="sides")
    if found.fate:
        yield tag("p", found.fate, class_="fate")
    if found.totals:
        yield tag("p", found.totals, class_="totals")
    yield from (tag("p", line.replace("❌", "✗"), class_="meaning") for line in found.meaning)


def _drawn(picture: Picture | None) -> Iterator[Html]:
    if picture is None:
        return
    small = trim(picture, MOST_NODES, MOST_FLOWS)
    changes = "Thick lines come (+), broken ones go (−), dotted boxes change (~)."
    still = "Nothing in it changes."
    moving = any(node.mark for node in picture.nodes) or any(flow.mark for flow in picture.flows)
    words = tag("figcaption", changes if moving else still)
    drawing = tag("div", Html(figure(small)), class_="scroll", tabindex="0", role="group", aria_label="The picture")
    yield _titled("Before and after", tag("figure", drawing, words))
    yield from _standings("Instances by host", "Host", picture.hosts)
    yield from _standings("Instances by group", "Group", picture.groups)


def _standings(title: str, noun: str, found: Mapping[str, Standing]) -> Iterator[Html]:
    """What changes comes first."""
    ordered = sorted(found.items(), key=lambda one: one[1].mark is Mark.SAME)
    rows = [(one.mark.value, name, _members(one.before), _members(one.after)) for name, one in ordered]
    if rows:
        yield _section(Section(title, (noun, "Before", "After"), tuple(rows)))


def _members(names: Sequence[str] | None) -> str:
    if names is None:
        return "—"
    return f"{len(names):,}: {listed(names)}" if names else "0"


def _section(found: Section) -> Html:
    meant = {**_MEANT, **(_EXPOSED if found.title == "Exposure" else {})}
    shown = found.rows[:MOST_ROWS]
    signed = any(row[0] for row in shown)
    columns = ("Kind", *found.columns) if signed else found.columns
    body = [_row(row if signed else row[1:], columns, meant, signed) for row in shown]
    rest = len(found.rows) - len(shown)
    more = [tag("p", f"… and {rest:,} more; all of them: --format json", class_="more")] if rest else []
    head = tag("tr", *(tag("th", one, scope="col", role="columnheader") for one in columns), role="row")
    table = tag(
        "table",
        tag("caption", f"{found.title}: {len(found.rows):,}", class_="hidden"),
        tag("thead", head, role="rowgroup"),
        tag("tbody", *body, role="rowgroup"),
        role="table",
    )
    return _titled(f"{found.title} ({len(found.rows):,})", table, *more)


def _row(cells: Iterable[str], columns: Sequence[str], meant: Mapping[str, str], signed: bool) -> Html:
    found = []
    for number, (cell, column) in enumerate(zip(cells, columns, strict=True)):
        if signed and number == 0:
            sign = tag("b", cell, class_=_KINDS.get(cell, "gone")) if cell else ""
            found.append(tag("td", sign, f" {meant.get(cell, '')}", role="cell", class_="kind"))
        elif number == int(signed):
            found.append(tag("th", shortened(cell), scope="row", role="rowheader", data_column=column))
        else:
            found.append(tag("td", shortened(cell), role="cell", data_column=column))
    return tag("tr", *found, role="row")


def _titled(title: str, *inside: str) -> Html:
    return tag("section", tag("h2", title), *inside)
