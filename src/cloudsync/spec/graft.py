"""A text that is nearly that of another document -> its values, taken from there where it says the same, and read where
it does not. `document` calls it.

What libyaml makes of some lines depends on what it expects where they begin, and on whether the line behind them can
still belong to them. So whole entries of a section are taken, from a key to the next line that starts no deeper, where
both texts expect a key of that section's block. `KEY: 0` is read in the place of those that follow one another: where
that was taken for a key of the section, at that line and column, the first of them would have been. Nothing is taken
where something is wrong, or where one part can change what another means: then the text is read as any other.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from cloudsync.model.dataclass import dataclass
from cloudsync.spec.compose import MOST_NODES, Composed, Map, composed, disguise
from cloudsync.spec.finding import Trail

if TYPE_CHECKING:
    from cloudsync.spec.document import Document

ODD = ("\r", "\x85", "\u2028", "\u2029", "\n%", "\n---", "\n...")
"""Line ends that hardly anybody uses, directives, and what parts documents."""

_TOP = re.compile(r"\n([^\s#][^:\n]*)")

Columns = Mapping[str, int]
"""Where the keys of a section start."""


@dataclass(frozen=True, slots=True)
class Grafted:
    """`moved` are entries that stand so many lines further down than in the other document."""

    root: Map
    composed: Composed
    moved: Mapping[Trail, int]


class Entry(NamedTuple):
    """What looks like a key of a section, and the text from `start` down to the next line that starts no deeper, on
    line `end`. Lines count from 0."""

    section: str
    name: str
    start: int
    line: int
    end: int
    text: str


def graft(text: str, stock: "Document") -> Grafted | None:
    """None where it has to be read whole."""
    known = stock.composed
    if not (stock.complete and known.simple) or stock.spots:
        return None
    if text.startswith(("%", "---", "...")) or any(one in text for one in ODD):
        return None
    columns = blocks(stock.root)
    theirs = _whole(stock, columns)
    same = [one for one in entries(text, columns) if _text(theirs.get((one.section, one.name))) == one.text]
    first = [one for one, before in zip(same, [None, *same], strict=False) if not _follows(one, before)]
    found = read_alike(reduced(text, same, first, columns), text, known.disguised)
    if found is None or found.nodes + known.nodes > MOST_NODES or not only_keys(found.root, same, first, columns):
        return None
    return Grafted(found.root, found, _taken(found.root, stock, same, theirs))


def _taken(
    root: Map, stock: "Document", same: list[Entry], theirs: Mapping[tuple[str, str], Entry]
) -> dict[Trail, int]:
    """Which of the same entries have moved, now that all are there, in the order of the text."""
    moved: dict[Trail, int] = {}
    for one in same:
        section, their = root[one.section], stock.root[one.section]
        down = one.line - theirs[one.section, one.name].line
        _, column, row, at = their.marks[one.name]
        section[one.name], section.marks[one.name] = their[one.name], (one.line, column, row + down, at)
        down += stock.moved.get((one.section, one.name), 0)
        if down:
            moved[one.section, one.name] = down
    for name in {one.section for one in same}:
        section = root[name]
        ordered = {key: section[key] for key in sorted(section, key=section.marks.__getitem__)}
        section.clear()
        section.update(ordered)
    return moved


def blocks(root: Map) -> dict[str, int]:
    """Of sections that are blocks: such a mapping begins where its first key does."""
    found = {}
    for section, value in root.items():
        if isinstance(value, Map) and value:
            first = min(marks[:2] for marks in value.marks.values())
            if root.marks[section][2:] == first and first[1]:
                found[section] = first[1]
    return found


def entries(text: str, columns: Columns) -> Iterator[Entry]:
    """In order."""
    lines = f"\n{text}"
    tops = list(_TOP.finditer(lines))
    line = at = 0
    for top, (_, stop) in zip(tops, pairwise([*(one.start() for one in tops), len(text)]), strict=True):
        column = columns.get(top[1])
        if column is None:
            continue
        keys = list(re.compile(rf"\n {{{column}}}([^\s#][^\s:]*)").finditer(lines, top.end(), stop + 1))
        for key, (start, end) in zip(keys, pairwise([*(one.start() for one in keys), stop]), strict=True):
            line += text.count("\n", at, start)
            at, until = end, line + text.count("\n", start, end)
            yield Entry(top[1], key[1], start, line, until, text[start:end])
            line = until


def _text(one: Entry | None) -> str | None:
    return one.text if one else None


def _whole(stock: "Document", columns: Columns) -> dict[tuple[str, str], Entry]:
    """Those that are keys of their section, with one behind them, or one of the document, or nothing."""
    root: Map = stock.root
    tops = {marks[0] for marks in root.marks.values() if not marks[1]}
    ends = {one: tops | {marks[0] for marks in root[one].marks.values()} for one in columns}
    found = {}
    for one in entries(stock.text, columns):
        marks = root[one.section].marks.get(one.name)
        closed = one.end in ends[one.section] or one.start + len(one.text) == len(stock.text)
        if closed and marks and marks[:2] == (one.line, columns[one.section]):
            found[one.section, one.name] = one
    return found


def _follows(one: Entry, before: Entry | None) -> bool:
    """Whether it comes right behind another, and so is expected where that was."""
    return before is not None and before.section == one.section and before.end == one.line


def read_alike(reduced: str, text: str, disguised: bool) -> Composed | None:
    """What stands in the reduced text, read as `compose` reads the whole; None where something is wrong with either, or
    where the whole is not read that way."""
    if disguised and (disguise(text) is None or not composed(text, disguised=False)[1]):
        return None
    found, broken = composed((disguise(reduced) or "") if disguised else reduced, disguised)
    return None if broken or found.spots or not (found.complete and found.simple) else found


def reduced(text: str, same: list[Entry], first: list[Entry], columns: Columns) -> str:
    """With as many lines as before, and something in place of the `first` of those that follow one another."""
    stand_ins = {one.start: f"{' ' * columns[one.section]}{one.name}: 0" for one in first}
    parts, at = [], 0
    for one in same:
        parts += [text[at : one.start], stand_ins.get(one.start, ""), "\n" * (one.end - one.line)]
        at = one.start + len(one.text)
    return "".join([*parts, text[at:]])


def only_keys(root: object, same: list[Entry], first: list[Entry], columns: Columns) -> bool:
    """Whether each stand-in was taken for a key of its section, and nothing is there twice."""
    there, used = blocks(root) if isinstance(root, Map) else {}, {one.section for one in same}
    if not isinstance(root, Map) or any(there.get(one) != columns[one] for one in used):
        return False
    names = {(one.section, one.name) for one in same}
    read = {(section, name) for section in used for name in root[section]}
    return (
        len(names) == len(same)
        and names & read == {(one.section, one.name) for one in first}
        and all(root[one.section].marks[one.name][:2] == (one.line, columns[one.section]) for one in first)
    )
