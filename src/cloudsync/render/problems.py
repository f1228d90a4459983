"""Problems as people, programs and GitHub read them. Pure; `validate` and every command that reads a spec call it."""

import json
from collections.abc import Sequence
from unicodedata import east_asian_width

from cloudsync.model.problem import Problem
from cloudsync.spec.words import count, in_place, printable

FORMAT_VERSION = 1
WIDEST = 110

_BOLD, _RED, _DIM, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[2m", "\x1b[0m"


def text(problems: Sequence[Problem], colour: bool) -> str:
    """Place and message, the line, a caret, the way out; with a count at the end when there are several."""
    parts = [_one(problem, colour) for problem in problems]
    if len(problems) > 1:
        parts.append(f"{count(len(problems), 'problem')}\n")
    return "\n".join(parts)


def _one(problem: Problem, colour: bool) -> str:
    bold, red, dim, plain = (_BOLD, _RED, _DIM, _PLAIN) if colour else ("", "", "", "")
    where = f"{dim}{printable(str(problem.place))}:{plain} " if problem.place else ""
    kind = "" if problem.severity.value == "error" else f"{problem.severity.value}: "
    lines = [f"{where}{bold}{kind}{printable(problem.message)}{plain}"]
    if problem.source.strip() and problem.place:
        shown, caret = _window(in_place(problem.source), problem.place.column - problem.start, problem.start > 1)
        lines += [f"  {shown}", f"  {' ' * caret}{red}^{plain}"]
    if problem.hint:
        lines.append(f"  hint: {printable(problem.hint)}")
    return "\n".join(lines) + "\n"


def _window(source: str, column: int, cut: bool) -> tuple[str, int]:
    """At most `WIDEST` characters of the line around `column`, and how many cells stand before it. `cut`: something of
    the line comes before."""
    line = source.rstrip()
    column = min(column, len(line))
    start = max(0, column - WIDEST // 2) if len(line) > WIDEST else 0
    shown = line[start : start + WIDEST]
    before = sum(2 if east_asian_width(char) in "WF" else 1 for char in line[start:column])
    if start + WIDEST < len(line):
        shown += "…"
    return (f"…{shown}", before + 1) if start or cut else (shown, before)


def as_json(problems: Sequence[Problem]) -> str:
    """`{format_version, problems: [{severity, file, line, column, message, hint, source, source_column}]}`."""
    found = [
        {"severity": one.severity.value, **plain(one), "source": one.source, "source_column": one.start}
        for one in problems
    ]
    return json.dumps({"format_version": FORMAT_VERSION, "problems": found}, indent=2)


def plain(problem: Problem) -> dict[str, str | int | None]:
    """`{file, line, column, message, hint}`, without the line itself."""
    place = problem.place
    return {
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "message": problem.message,
        "hint": problem.hint,
    }


def github(problems: Sequence[Problem]) -> str:
    """One workflow command a line, so that a pull request shows each problem at its line."""
    return "".join(f"{_annotation(problem)}\n" for problem in problems)


def _annotation(problem: Problem) -> str:
    place = problem.place
    where = f" file={_property(place.file)},line={place.line},col={place.column}" if place else ""
    hint = f"\nhint: {printable(problem.hint)}" if problem.hint else ""
    return f"::{problem.severity.value}{where}::{_data(printable(problem.message) + hint)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
