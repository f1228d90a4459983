"""What libyaml says about broken YAML, in words that say what to do. Called by `compose`."""

import re

from cloudsync.spec.finding import Spot
from cloudsync.spec.words import quote
from cloudsync.spec.yaml import BrokenYaml

_OURS, _THEIRS = (re.compile(rf"^{one}{{7}}(?: |\r?$)", re.MULTILINE) for one in "<>")
LINE_ENDS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

_INDENT = "check the indentation: keys of one block start in the same column"
_QUOTES = "put the text in quotes when it holds a special character"

# libyaml's own words -> what is wrong, what to do.
_KNOWN = {
    "mapping values are not allowed in this context": (
        'a ":" does not fit here',
        'check the indentation, or put a text that holds ": " in quotes',
    ),
    "could not find expected ':'": ("a key without a colon", "write KEY: VALUE, or indent a long text further"),
    "found unexpected ':'": ('a ":" ends a text between { and }', "put the text in quotes"),
    "did not find expected key": ("this does not fit the block that it stands in", _INDENT),
    "did not find expected '-' indicator": ("this does not fit the list that it stands in", "start every item with -"),
    "did not find expected node content": ("a value is missing before this", "close the bracket, or write the value"),
    "did not find expected ',' or '}'": ("the { above is not closed here", "add } or a comma"),
    "did not find expected ',' or ']'": ("the [ above is not closed here", "add ] or a comma"),
    "block sequence entries are not allowed in this context": ("a list item does not fit here", _INDENT),
    "block mapping entries are not allowed in this context": ("a key does not fit here", _INDENT),
    "found unknown escape character": (
        "this escape is unknown in double quotes",
        "double the backslash, or use single quotes",
    ),
    "found invalid Unicode character escape code": (
        "this escape stands for no character",
        "write the character itself, or double the backslash",
    ),
    "did not find expected hexdecimal number": (
        "this escape has too few digits",
        "two hexadecimal digits follow \\x, four \\u, eight \\U; or double the backslash",
    ),
    "did not find expected alphabetic or numeric character": (
        "a name must follow & or *",
        "put the text in quotes when it is meant to begin with that",
    ),
    "found incompatible YAML document": ("only YAML 1.1 and 1.2 can be read", "remove the %YAML line"),
    "found undefined tag handle": ("this tag is unknown", "remove the tag"),
    "found a tab character that violates indentation": ("a tab cannot indent YAML", "use spaces"),
    "found a tab character where an indentation space is expected": ("a tab cannot indent YAML", "use spaces"),
    "did not find expected <document start>": ("this stands outside the document", _INDENT),
}


def explain(error: BrokenYaml, text: str) -> Spot:
    """Where libyaml gave up, and why."""
    line, column = error.at
    conflict = _conflict(text)
    if conflict is not None and conflict <= line:
        hint = "keep one, and remove the lines <<<<<<<, ======= and >>>>>>>"
        return Spot(conflict + 1, 1, "a merge has left two versions here", hint)
    if error.problem == "found unexpected end of stream" and error.context_at is not None:
        line, column = error.context_at
        return Spot(line + 1, column + 1, "this quote is never closed", "add the closing quote")
    if error.problem == "found character that cannot start any token":
        message, hint = _bad_start(text, line, column)
    else:
        message, hint = _KNOWN.get(error.problem, (quote(error.problem)[1:-1], _QUOTES))
    return Spot(line + 1, column + 1, message, hint)


def _conflict(text: str) -> int | None:
    """The line, from 0, where Git has written that it could not merge."""
    ours = _OURS.search(text)
    return text.count("\n", 0, ours.start()) if ours and _THEIRS.search(text, ours.end()) else None


def _bad_start(text: str, line: int, column: int) -> tuple[str, str]:
    lines = LINE_ENDS.split(text)
    char = lines[line][column : column + 1] if line < len(lines) else ""
    if char == "\t":
        return "a tab cannot indent YAML", "use spaces"
    return f"a text cannot start with {quote(char)[1:-1]}", "put the text in quotes"
