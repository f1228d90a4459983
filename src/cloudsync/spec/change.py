"""One value of a spec put in, changed or taken out in its text, and nothing else of it. `plan --absorb` calls it.

Each way to write it is tried where it could stand; what comes out is read again, and taken only when it says the old
values and that one change. So an anchor or a merge that would carry it elsewhere is found, whatever it looks like.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import Problem, SpecError
from cloudsync.spec.compose import Map, Seq
from cloudsync.spec.document import Document, parse
from cloudsync.spec.edit import after_last
from cloudsync.spec.finding import Trail
from cloudsync.spec.scalar import plain

_WORD = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|[A-Za-z0-9_.@/-]+")
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Put:
    """`key` of the mapping at `trail` is `value` from now on; a new one stands behind the key `after`, if that does."""

    trail: Trail
    key: str
    value: Any
    after: str = ""


@dataclass(frozen=True, slots=True)
class Add:
    """`value` is one more item of the list at `trail`, which may not be there yet."""

    trail: Trail
    value: Any


@dataclass(frozen=True, slots=True)
class Drop:
    """Item `index` of the list at `trail` goes."""

    trail: Trail
    index: int


Edit = Put | Add | Drop
_Way = Callable[[Document, list[str], Any, Any], str | None]


def changed(document: Document, edit: Edit) -> Document:
    """The spec after `edit`. SpecError with the place where it cannot be put."""
    expected = _expected(document.root, edit)
    mark = "\ufeff" if document.data.startswith(b"\xef\xbb\xbf") else ""
    for text in _attempts(document, edit):
        again = parse(document.file, f"{mark}{text}".encode())
        if again.complete and not again.spots and again.root == expected:
            return again
    place = document.place(edit.trail, at_key=True)
    raise SpecError([Problem(f"{_said(edit)} cannot be written here", place, "write it yourself")])


def flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(one) for one in value) + "]"
    if isinstance(value, str):
        safe = _PLAIN.fullmatch(value) and isinstance(plain(value), str)
        return value if safe else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _said(edit: Edit) -> str:
    if isinstance(edit, Put):
        return f"{edit.key}: {flow(edit.value)}"
    where = "/".join(str(step) for step in edit.trail)
    return f"{where}: {flow(edit.value)}" if isinstance(edit, Add) else f"{where} without item {edit.index + 1}"


def _at(root: Any, trail: Trail) -> Any:
    """A value, through mappings; None where there is none."""
    for step in trail:
        root = root.get(str(step)) if isinstance(root, Map) else None
    return root


def _expected(root: Any, edit: Edit, depth: int = 0) -> Any:
    """The values that there should be then."""
    if depth < len(edit.trail):
        step = edit.trail[depth]
        return {**(root or {}), step: _expected((root or {}).get(step), edit, depth + 1)}
    if isinstance(edit, Put):
        return {**(root or {}), edit.key: edit.value}
    items = list(root or ())
    return [*items, edit.value] if isinstance(edit, Add) else items[: edit.index] + items[edit.index + 1 :]


def _attempts(document: Document, edit: Edit) -> Iterator[str]:
    lines = re.split(r"(?<=\n)", document.text)
    there = _at(document.root, edit.trail)
    for way in _WAYS[type(edit)]:
        try:
            text = way(document, list(lines), there, edit)
        except (IndexError, KeyError, TypeError, AttributeError, ValueError, StopIteration):
            continue  # it is not written in that way
        if text is not None:
            yield text


def _word(_: Document, lines: list[str], there: Map, edit: Put) -> str | None:
    """Another word in place of the one that is there."""
    row, column = there.marks[edit.key][2:]
    word = _WORD.match(lines[row], column)
    if word is None:
        return None
    lines[row] = lines[row][:column] + flow(edit.value) + lines[row][word.end() :]
    return "".join(lines)


def _behind(_: Document, lines: list[str], there: Map, edit: Put) -> str | None:
    """After a sibling that is one word: on the next line, or after a comma."""
    key_row, key_column, row, column = there.marks[edit.after]
    word = _WORD.match(lines[row], column)
    if word is None or edit.key in there:
        return None
    entry = f"{edit.key}: {flow(edit.value)}"
    if lines[key_row][:key_column].strip() == "":
        lines.insert(row + 1, f"{' ' * key_column}{entry}{_ending(lines)}")
    else:
        lines[row] = f"{lines[row][: word.end()]}, {entry}{lines[row][word.end() :]}"
    return "".join(lines)


def _last(_: Document, lines: list[str], there: Map, edit: Put) -> str | None:
    """After the last key of a block and what belongs to it."""
    at, indent = after_last(there, lines)
    if not lines[at - 1].endswith("\n"):
        lines[at - 1] += _ending(lines)
    lines.insert(at, f"{' ' * indent}{flow(edit.key)}: {flow(edit.value)}{_ending(lines)}")
    return "".join(lines)


def _first(_: Document, lines: list[str], there: Map, edit: Put) -> str | None:
    """Before the first key of a block."""
    row, column = there.marks[next(iter(there))][:2]
    entry = f"{flow(edit.key)}: {flow(edit.value)}{_ending(lines)}{' ' * column}"
    lines[row] = lines[row][:column] + entry + lines[row][column:]
    return "".join(lines)


def _opened(document: Document, lines: list[str], there: Map, edit: Put) -> str | None:
    """Behind the brace."""
    row, column = _start(document, edit.trail)
    if lines[row][column : column + 1] != "{":
        return None
    entry = f"{flow(edit.key)}: {flow(edit.value)}" + (", " if there else "")
    lines[row] = lines[row][: column + 1] + entry + lines[row][column + 1 :]
    return "".join(lines)


def _newly(way: _Way) -> _Way:
    """A list that is not there yet, as a key of what holds it."""

    def put(document: Document, lines: list[str], there: Seq | None, edit: Add) -> str | None:
        if there is not None:
            return None
        key = Put(edit.trail[:-1], str(edit.trail[-1]), [edit.value])
        return way(document, lines, _at(document.root, key.trail), key)

    return put


def _listed(document: Document, lines: list[str], there: Seq, edit: Add) -> str | None:
    """After the last item of a block, or between brackets after the last item that has some of its own."""
    row, column = _start(document, edit.trail)
    if lines[row][column : column + 1] == "[":
        text = "".join(lines)
        at = _closing(text, _offset(lines, *there.marks[-1])) if there else _offset(lines, row, column) + 1
        return text[:at] + (", " if there else "") + flow(edit.value) + text[at:]
    dash, end = _span(lines, there, len(there) - 1)
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += _ending(lines)
    lines.insert(end, f"{' ' * dash}- {flow(edit.value)}{_ending(lines)}")
    return "".join(lines)


def _fewer(_: Document, lines: list[str], there: Seq, edit: Drop) -> str | None:
    """Of a block, its lines."""
    end = _span(lines, there, edit.index)[1]
    del lines[there.marks[edit.index][0] : end]
    return "".join(lines)


def _none(document: Document, lines: list[str], there: Seq, edit: Drop) -> str | None:
    """Of a block, its only item."""
    if len(there) != 1:
        return None
    holder = _at(document.root, edit.trail[:-1])
    row, column = holder.marks[edit.trail[-1]][:2]
    end = _span(lines, there, 0)[1]
    del lines[there.marks[0][0] : end]
    at = lines[row].index(":", column) + 1
    lines[row] = f"{lines[row][:at]} []{lines[row][at:]}"
    return "".join(lines)


def _cut(_: Document, lines: list[str], there: Seq, edit: Drop) -> str | None:
    """From between brackets, with the comma on one side of it."""
    text, start = "".join(lines), _offset(lines, *there.marks[edit.index])
    end = _closing(text, start)
    comma = re.compile(r"\s*,[ \t]*").match(text, end)
    if comma:
        return text[:start] + text[comma.end() :]
    return text[:start].rstrip().removesuffix(",") + text[end:]


def _offset(lines: list[str], row: int, column: int) -> int:
    return sum(len(line) for line in lines[:row]) + column


def _closing(text: str, start: int) -> int:
    """Where the bracketed value that begins there ends."""
    depth, at = 0, start
    while True:
        quoted = _QUOTED.match(text, at)
        if quoted:
            at = quoted.end()
            continue
        depth += (text[at] in "{[") - (text[at] in "}]")
        at += 1
        if depth == 0:
            return at


def _span(lines: list[str], there: Seq, index: int) -> tuple[int, int]:
    """The column of an item's dash, and the line after it."""
    row, column = there.marks[index]
    dash = lines[row].rindex("-", 0, column)
    end = row + 1
    while end < len(lines) and lines[end].strip() and len(lines[end]) - len(lines[end].lstrip(" ")) > dash:
        end += 1
    return dash, end


def _start(document: Document, trail: Trail) -> tuple[int, int]:
    holder = _at(document.root, trail[:-1])
    row, column = holder.marks[trail[-1]][2:]
    return row, column


def _ending(lines: list[str]) -> str:
    return "\r\n" if lines[0].endswith("\r\n") else "\n"


_WAYS: dict[type, tuple[_Way, ...]] = {
    Put: (_word, _behind, _last, _first, _opened),
    Add: (_newly(_last), _newly(_first), _newly(_opened), _listed),
    Drop: (_fewer, _none, _cut),
}
