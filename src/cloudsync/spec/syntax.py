"""What libyaml says about broken YAML, in words that say what to do. Called by `compose`."""

import re
from collections.abc import Collection, Sequence

from cloudsync.spec.finding import Spot
from cloudsync.spec.words import listing, quote
from cloudsync.spec.yaml import BrokenYaml

_OURS, _THEIRS = (re.compile(rf"^{one}{{7}}(?: |\r?$)", re.MULTILINE) for one in "<>")
LINE_ENDS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

_INDENT = "check the indentation: keys of one block start in the same column"
_QUOTES = "put the text in quotes when it holds a special character"

_NO_START = "found character that cannot start any token"
_NO_DIRECTIVE = ("found unexpected non-alphabetical character", "could not find expected directive name")
_MISFIT = "did not find expected key"
NO_TEXT = "a list or a mapping in place of a key"
"""What `compose` says in libyaml's stead."""

# libyaml's own words -> what is wrong, what to do.
_KNOWN = {
    "mapping values are not allowed in this context": (
        'a ":" does not fit here',
        'check the indentation, or put a text that holds ": " in quotes',
    ),
    "could not find expected ':'": ("a key without a colon", "write KEY: VALUE, or indent a long text further"),
    "found unexpected ':'": ('a ":" ends a text between { and }', "put the text in quotes"),
    _MISFIT: ("this does not fit the block that it stands in", _INDENT),
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
    "did not find expected comment or line break": (
        "a text cannot stand behind | or >",
        "begin it on the next line, indented; or put all of it in quotes",
    ),
    NO_TEXT: ("a key must be a plain text", "write KEY: VALUE"),
    "found unexpected end of stream": ("this quote is never closed", "add the closing quote"),
}
_AT_CONTEXT = ("found unexpected end of stream", "could not find expected ':'")
"""What is said behind the thing that it is about."""
_IN_PLACE = (
    "found unknown escape character",
    "found invalid Unicode character escape code",
    "did not find expected hexdecimal number",
    "did not find expected alphabetic or numeric character",
    "found incompatible YAML document",
    "found undefined tag handle",
)
"""What stands where libyaml says."""


def explain(error: BrokenYaml, text: str) -> Spot:
    """Where libyaml gave up, and why."""
    line, column = error.at
    conflict = _conflict(text)
    if conflict is not None and conflict <= line:
        hint = "keep one, and remove the lines <<<<<<<, ======= and >>>>>>>"
        return Spot(conflict + 1, 1, "a merge has left two versions here", hint)
    lines = LINE_ENDS.split(text)
    char = lines[line][column : column + 1] if line < len(lines) else ""
    if char == "\t" and error.problem == _NO_START:
        return Spot(line + 1, column + 1, "a tab cannot indent YAML", "use spaces")
    found = None if error.problem in _IN_PLACE else _slip(lines, error)
    if found is not None:
        return found
    if error.context_at is not None and error.problem in _AT_CONTEXT:
        line, column = error.context_at
    message, hint = _KNOWN.get(error.problem, (quote(error.problem)[1:-1], _QUOTES))
    if error.problem in _NO_DIRECTIVE:
        column, char = 0, "%"
    if char and error.problem in (_NO_START, *_NO_DIRECTIVE):
        message, hint = f"a text cannot start with {quote(char)[1:-1]}", "put the text in quotes"
    return Spot(line + 1, column + 1, message, hint)


def _slip(lines: Sequence[str], error: BrokenYaml) -> Spot | None:
    from cloudsync.spec.slip import slip

    found = slip(lines, *error.at)
    return _misfit(lines, *error.at) if found is None and error.problem == _MISFIT else found


def _misfit(lines: Sequence[str], line: int, column: int) -> Spot:
    """Where the lines above that are in the same block seem to begin elsewhere, which they are."""
    message, hint = _KNOWN[_MISFIT]
    at = _indent(lines[line]) if line < len(lines) else 0
    first = 0
    for index in range(line - 1, -1, -1):
        depth = _indent(lines[index])
        if depth < 0:
            continue
        if depth < at:
            break
        first = index
    depth = _indent(lines[first])
    if at == column > 0 and depth > at:
        hint = f"the block above starts in column {depth + 1} on line {first + 1}, this in {at + 1}: indent both alike"
    return Spot(line + 1, column + 1, message, hint)


def _indent(line: str) -> int:
    """-1 where the line says nothing."""
    bare = line.lstrip(" ")
    return -1 if not bare or bare.startswith("#") else len(line) - len(bare)


def missing_anchor(name: str, anchors: Collection[str], inside: bool) -> tuple[str, str]:
    """Why an alias stands for nothing, and what to do. `inside`: within what it names."""
    if inside:
        return "an anchor cannot stand inside itself", "write out what is meant, or name another anchor"
    from cloudsync.spec.suggest import MANY, nearest

    near = nearest(name, anchors)
    hint = "write &NAME before the value that it stands for, further up; or put a text that begins with * in quotes"
    if near:
        hint = f"did you mean *{near}?"
    elif 0 < len(anchors) <= MANY:
        hint = f"known: {listing([f'*{one}' for one in sorted(anchors)], 'and')}"
    return f"nothing above is named &{quote(name)[1:-1]}", hint


def _conflict(text: str) -> int | None:
    """The line, from 0, where Git has written that it could not merge."""
    ours = _OURS.search(text)
    return text.count("\n", 0, ours.start()) if ours and _THEIRS.search(text, ours.end()) else None
