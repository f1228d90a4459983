"""Where what was forgotten is said to be missing: at its place, not where the text no longer makes sense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsync.spec.document import parse
from cloudsync.spec.slip import slip

SLIPS = {
    "a: [1, 2\nb: 3\n": (1, 4, "this [ is never closed", "add ] at the end of this line"),
    "a: {b: {c: d\ne: f\n": (1, 8, "this { is never closed", "add }} at the end of this line"),
    "a:\n  - {b: c\n  - {b: d}\n": (2, 5, "this { is never closed", "add } at the end of this line"),
    "a: [\n  b,\n  c\nd: e\n": (1, 4, "this [ is never closed", "add ] where it ends"),
    "a: [b\n": (1, 4, "this [ is never closed", "add ] at the end of this line"),
    "a: {b: [1, 2}\nc: d\n": (1, 8, "this [ is never closed", "add ] before the }"),
    "a: [1, 2}\n": (1, 4, "this [ is never closed", "write ] in place of the }"),
    "a: {b: 1]}\n": (1, 9, "this ] closes nothing", "remove it, or write [ where it begins"),
    "a: {b: 1}}\n": (1, 10, "this } closes nothing", "remove it, or write { where it begins"),
    "a: {b: [c: 1, d: e}\n": (1, 8, "this [ is never closed", "add ] before the }"),
    "a: [b: 'x'\n  c: d]\n": (2, 3, "a comma is missing before this", "add it, or ]"),
    "a: {b: 1 c: 2}\n": (1, 10, "a comma is missing before this", "add it, or }"),
    "a: {\n  b: {c: d}\n  e: {f: g}\n}\n": (3, 3, "a comma is missing before this", "add it, or }"),
    'a: "x\nb: "y"\nc: d\n': (1, 4, "this quote is never closed", 'add " where its text ends'),
    "a: 'x\n\nb: c\nd: e\n": (1, 4, "this quote is never closed", "add ' at the end of this line"),
    'a:\n  - b: "x\n    c: d\n  - b: "y"\n': (2, 8, "this quote is never closed", 'add " where its text ends'),
    'a: {b: "x,\n  c: "y"}\n': (1, 8, "this quote is never closed", 'add " where its text ends'),
    "a: 'it's'\n": (1, 8, "this stands behind the closing quote", "remove it, or put the whole text in quotes"),
    "a: [b] c\n": (1, 8, "this stands behind the closing bracket", "remove it, or put the whole text in quotes"),
    "a:\n  b c\n  d: e\n": (2, 3, "a key without a colon", "write KEY: VALUE, or indent a long text further"),
    "a: 1\n\nb\n": (3, 1, "a key without a colon", "write KEY: VALUE, or indent a long text further"),
    "a:\n  b\n    c: d\n": (2, 3, "a key without a colon", "write KEY: VALUE, or indent a long text further"),
    "a:\n  b:c\n  d: e\n": (2, 3, "a key without a colon", "write a space behind the colon"),
    "a:\n  b |\n    set -e\n    x: [\n": (2, 3, "a key without a colon", "write a colon behind the key"),
    "a: b\n  c: d\n": (
        2,
        3,
        "this is indented further than line 1, which has a value already",
        "start both in the same column, or put a long text in quotes",
    ),
    "a:\n    b: c\n  d: e\n": (
        3,
        3,
        "this does not fit the block that it stands in",
        "the block above starts in column 5 on line 2, this in 3: indent both alike",
    ),
}


@pytest.mark.parametrize(("text", "wanted"), SLIPS.items())
def test_it_is_told_where_it_is(text: str, wanted: tuple[int, int, str, str]) -> None:
    found = parse("f", text.encode()).spots[-1]
    assert (found.line, found.column, found.message, found.hint) == wanted


@pytest.mark.parametrize(
    "fine",
    [
        "a: [1,\n2]\n",
        "a: [\n  {b: c},\n]\n",
        "a: 'x\n\n  y'\n",
        'a: "x\\\n  y \\" z"\n',
        "a: it's [not\n  b] {c\nd: 1\n",
        "a: |\n  {[\"'\n  b\nc: >-  # {\n  [\nd: 1\n",
        "l:\n- |\n {\n- &x [a]\n- !!str 'b'\n- *x\n",
        "'a': {b: 'it''s', \"c\":[d:e, #f]\n g]}  # ' [\n",
        "--- # {\na: b\n",
    ],
)
def test_what_is_right_is_not_told(fine: str) -> None:
    assert parse("f", fine.encode()).complete
    broken = parse("f", f"{fine}z: @\n".encode()).spots[-1]
    assert (broken.line, broken.message) == (fine.count("\n") + 1, "a text cannot start with @")


@given(st.text("ab:,#-'\"[]{}|>&*! \\\n\t", max_size=60), st.integers(0, 9), st.integers(0, 9))
def test_it_stands_in_the_text(text: str, line: int, column: int) -> None:
    lines = text.split("\n")
    found = slip(lines, line, column)
    assert found is None or (0 < found.line <= len(lines) and 0 < found.column <= len(lines[found.line - 1]))
