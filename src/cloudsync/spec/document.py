"""A spec file as read: its text, its values and where each of them stands. `load` reads one and asks it for places."""

import re
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from pathlib import Path

from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import Place, Problem, SpecError
from cloudsync.spec.compose import Composed, Map, Seq, Value, compose
from cloudsync.spec.files import FileProblem, LargeProblem, confirm_inside, given, way_out
from cloudsync.spec.finding import Finding, Spot, Trail
from cloudsync.spec.syntax import LINE_ENDS
from cloudsync.spec.words import printable, quote

LARGEST = 8 << 20
_LONG = 100_000
"""Characters: what is shorter is read at once."""

# YAML 1.2, production c-printable; libyaml refuses the rest without saying where. Most specs are ASCII, and all of
# Unicode takes as long to compile as a small spec to read.
_ASCII = r"\t\n\r\x20-\x7e"
_UNPRINTABLE = re.compile(f"[^{_ASCII}]")
_BEYOND = f"[^{_ASCII}\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
_RAW = re.compile(r"[^\s#,\[\]{}][^#,\[\]{}]{0,99}")


@dataclass(frozen=True)
class Document:
    """`file` is the path as the user gave it, `data` the file's bytes. `spots` are problems of the YAML itself;
    unless `complete`, what follows the last of them was not read. What is in entries that are `moved` stands so many
    lines further down than its marks say."""

    file: str
    data: bytes
    text: str
    root: Value
    spots: tuple[Spot, ...] = ()
    complete: bool = True
    composed: Composed = field(default_factory=Composed, repr=False)
    moved: Mapping[Trail, int] = field(default_factory=dict, repr=False)

    @cached_property
    def lines(self) -> list[str]:
        return LINE_ENDS.split(self.text)

    @cached_property
    def _secret(self) -> frozenset[int]:
        from cloudsync.spec.secrets import secret_lines
        from cloudsync.spec.strangers import stranger_lines

        root = compose(self.text).root if self.moved else self.root
        strangers = stranger_lines(root, self.lines) if self.complete else frozenset()
        return strangers | secret_lines(self.lines, broken=not self.complete)

    def position(self, trail: Trail, at_key: bool = False, tree: Value = None) -> tuple[int, int]:
        """Line and column, from 1, of the value at `trail` or of its key; else of the nearest thing above it.

        `tree` is the root with some parts taken out, when the trail leads through that.
        """
        here: Value = self.root if tree is None else tree
        found, down = (0, 0), 0
        for depth, step in enumerate(trail):
            down = self.moved.get(trail[:2], 0) if depth == 2 and self.moved else down
            if isinstance(here, Map) and isinstance(step, str) and step in here:
                marks = here.marks[step]
                found, here = marks[:2] if at_key else marks[2:], here[step]
            elif isinstance(here, Seq) and isinstance(step, int) and step < len(here):
                found, here = here.marks[step], here[step]
            else:
                break
            found = (found[0] + down, found[1])
        return found[0] + 1, found[1] + 1

    def raw(self, trail: Trail) -> str:
        """The unquoted scalar at `trail` as it was typed (`012`, not 12)."""
        line, column = self.position(trail)
        match = _RAW.match(self.lines[line - 1], column - 1) if line <= len(self.lines) else None
        return match[0].rstrip() if match else ""

    def place(self, trail: Trail, at_key: bool = False) -> Place:
        return Place(self.file, *self.position(trail, at_key))

    def problem(self, found: Finding | Spot, tree: Value = None) -> Problem:
        """The problem with its place (see `position`) and its line, or what of it may be shown."""
        from cloudsync.spec.excerpt import alone, around

        hidden, key_column = False, None
        if isinstance(found, Spot):
            place = Place(self.file, found.line, found.column)
        else:
            place, hidden = Place(self.file, *self.position(found.trail, found.at_key, tree)), found.secret
            row, column = self.position(found.trail, True, tree)
            key_column = column if row == place.line else None
        line = self.lines[place.line - 1] if place.line <= len(self.lines) else ""
        secret = hidden or place.line - 1 in self._secret
        shown = alone(line, place.column, found, key_column) if secret else around(line, place.column)
        return Problem(printable(found.message), place, printable(found.hint), shown.text, start=shown.start)


def read(path: Path, share: bool = False) -> Document:
    """The file at `path`. SpecError when it cannot be read, is too big, or is not UTF-8; other problems are `spots`.
    What may be shared is said at `parse`."""
    file = str(path)
    try:
        confirm_inside(path)
        data = given(path, LARGEST)
    except LargeProblem:
        problem = Problem("the spec is larger than 8 MiB", Place(file, 1, 1), "split it into several clouds")
        raise SpecError([problem]) from None
    except FileProblem as error:
        raise SpecError([Problem(str(error), Place(file, 1, 1), error.hint)]) from None
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise SpecError([Problem(f"{quote(file)[1:-1]}: {reason}", Place(file, 1, 1), way_out(path, error))]) from None
    return parse(file, data, share=share)


def parse(file: str, data: bytes, like: Document | None = None, share: bool = False) -> Document:
    """`data` as a document. SpecError when it is not UTF-8 text. It may `share` parts with one that it is `like`, and
    where it says the same again: then only `position` knows where those stand."""
    text = _decode(file, data)
    bad = _UNPRINTABLE.search(text) if text.isascii() else re.search(_BEYOND, text)
    if bad is not None:
        message = f"the character {quote(bad[0])[1:-1]} cannot stand in YAML"
        raise SpecError([_unread(file, text, bad.start(), message, "remove it")])
    if share and (like or len(text) > _LONG):
        from cloudsync.spec.graft import graft
        from cloudsync.spec.repeats import unfold

        grafted = (graft(text, like) if like else None) or unfold(text)
        if grafted:
            return Document(file, data, text, grafted.root, composed=grafted.composed, moved=grafted.moved)
    composed = compose(text)
    spots = list(composed.spots)
    if composed.complete and composed.empty:
        spots.append(Spot(1, 1, "the spec is empty", "write one with: cloudsync init"))
    elif composed.complete and not isinstance(composed.root, Map):
        spots.append(Spot(1, 1, "a spec is a mapping of keys", "start with  version: 1"))
    complete = composed.complete and isinstance(composed.root, Map)
    return Document(file, data, text, composed.root, tuple(spots), complete, composed)


def _decode(file: str, data: bytes) -> str:
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace").removeprefix("\ufeff")
        utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        hint = "save the file as UTF-8" + (", not UTF-16" if utf16 else "")
        text = data.decode("utf-8", "replace").removeprefix("\ufeff")
        problem = _unread(file, text, len(before), f"byte 0x{data[error.start]:02x} is not UTF-8", hint)
        raise SpecError([problem]) from None


def _unread(file: str, text: str, at: int, message: str, hint: str) -> Problem:
    """Why nothing of it can be read."""
    lines = LINE_ENDS.split(text[:at])
    # In UTF-16 nobody would know a secret.
    text = "" if "\0" in text else text
    spot = Spot(len(lines), len(lines[-1]) + 1, message, hint)
    return Document(file, b"", text, None, complete=False).problem(spot)
