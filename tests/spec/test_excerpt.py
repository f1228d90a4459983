"""What of a line is shown: around the place where it is long, and of a secret one what is none."""

import pytest

from cloudsync.render.problems import text
from cloudsync.spec.document import parse
from cloudsync.spec.excerpt import LONGEST
from cloudsync.spec.finding import Finding, Spot

HEAD = "version: 1\ninstances:\n"


def shown(line: str, found: Finding | Spot) -> list[str]:
    """The line and the caret below it, for what is found in the third line."""
    rendered = text([parse("f", f"{HEAD}{line}\n".encode()).problem(found)], colour=False)
    return [one.rstrip() for one in rendered.split("\n")[1:-1]]


WEB = "  web: {image: nothing, flavor: 12, user_data: 'hunter2'}"


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        (
            Finding(("instances", "web", "image"), 'no image "nothing"', ""),
            ["  … image: nothing …", "           ^"],
        ),
        (Finding(("instances", "web", "flavor"), "not 12", ""), ["  … flavor: 12 …", "            ^"]),
        (Finding(("instances", "web", "flavor"), "not 112", ""), ["  … flavor: …", "            ^"]),
        (Finding(("instances", "web", "image"), "nothing", ""), ["  … image: …", "           ^"]),
        (Finding(("instances", "web", "image"), '"nothing"', "", secret=True), ["  … image: …", "           ^"]),
        (Finding(("instances", "web", "image"), "x", "", at_key=True), ["  … image: …", "    ^"]),
        (Finding(("instances", "web"), "x", "", at_key=True), ["    web: …", "    ^"]),
        (Finding(("instances", "web", "user_data"), '"hunter2"', ""), ["  … user_data: …", "               ^"]),
        (Spot(3, 9, 'the key "image" is here twice'), ["  … image: …", "    ^"]),
        (Spot(3, 8, "this { is never closed"), ["  … {…", "    ^"]),
        (Spot(3, 48, "this quote is never closed"), ["  … user_data: '…", "               ^"]),
        (Spot(3, 50, "a key without a colon"), []),
        (Spot(3, 16, "x"), []),
    ],
)
def test_of_a_line_with_a_secret(found: Finding | Spot, lines: list[str]) -> None:
    assert shown(WEB, found) == lines


def test_what_stands_below_an_unknown_key_is_not_named() -> None:
    line = "  web: {init: {hunter2: 1}, hunter2: {a: 1}}"
    assert shown(line, Finding(("instances", "web", "init", "hunter2"), "x", "", at_key=True)) == []
    assert shown(line, Finding(("instances", "web", "hunter2"), "x", "", at_key=True)) == []


def test_of_a_long_line_there_is_what_is_around_the_place() -> None:
    line = f"  web: [{'x, ' * LONGEST}y, {'z, ' * LONGEST}]"
    column = line.index("y") + 1
    found = parse("f", f"{HEAD}{line}\n".encode()).problem(Spot(3, column, "m"))
    assert len(found.source) < LONGEST
    assert found.source[column - found.start] == "y"
    above, caret = text([found], colour=False).split("\n")[1:3]
    assert above[caret.index("^")] == "y"
    assert above.startswith("  …")
    assert above.endswith("…")


def test_of_a_long_line_with_a_secret_there_is_no_more() -> None:
    line = f"  web: {{flavor: {'x' * LONGEST}, image: nothing, user_data: hunter2}}"
    assert shown(line, Finding(("instances", "web", "image"), '"nothing"', "")) == [
        "  … image: nothing …",
        "           ^",
    ]
