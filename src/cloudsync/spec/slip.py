"""Where a bracket or quote was opened that nothing closes, or a comma or colon is missing, in a text that libyaml
cannot read: it gives up where that no longer makes sense, often many lines below. `syntax` asks. Pure."""

import re
from collections.abc import Sequence

from cloudsync.spec.brackets import ENDS, Brackets, Left, Open
from cloudsync.spec.finding import Spot

_FURTHEST = 200_000
"""Characters that are read behind the line where libyaml gave up."""

_DASH = re.compile(r"[-?](?:[ \t]+|$)")
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]*)*")
_COLON = re.compile(r"[ \t]*:(?=[ \t]|$)")
_WORDS = re.compile(r"(?:[^\s:#]|:(?![ \t]|$)|(?<=\S)#|[ \t]++(?![:#]|$))+")
_BLOCK = re.compile(r"[|>][-+0-9]*[ \t]*(?:#.*)?$")
_KEYED = re.compile(r"(?:-[ \t]+)*[\w./@][^:#]*:(?:[ \t]|$)")
_KEY_OF_BLOCK = re.compile(r"[\w-]+[ \t]+[|>][-+0-9]*$")
_GLUED = re.compile(r"[A-Za-z_][\w-]*:[^\s/]")


def slip(lines: Sequence[str], line: int, column: int) -> Spot | None:
    """The slip that made libyaml give up at `line` and `column`, from 0; None where it is none of these."""
    reader = _Reader((line, column))
    for index, text in enumerate(lines[: line + 1]):
        reader.read(index, text)
    reader.at(len(reader.text))
    open_there = reader.open_there
    if open_there:
        further = 0
        for index in range(line + 1, len(lines)):
            further += len(lines[index])
            if reader.left or not reader.open() or further > _FURTHEST:
                break
            reader.read(index, lines[index])
        left = reader.left or reader.leave()
        if left:
            return _never_closed(left, lines[line][column : column + 1] if line < len(lines) else "")
    return reader.found


def _never_closed(left: Left, instead: str) -> Spot:
    """`instead`: the character where libyaml gave up."""
    one = left.inner
    hint = f"add {left.ends} {'at the end of this line' if left.line == one.line else 'where it ends'}"
    if one.char in ENDS and instead in ENDS.values():
        hint = f"write {ENDS[one.char]} in place of the {instead}"
    what = one.char if one.char in ENDS else "quote"
    return Spot(one.line + 1, one.column + 1, f"this {what} is never closed", hint)


class _Reader(Brackets):
    """The same, and blocks around them. Lines that start deeper than `block` belong to a | or >; `bare` is a text where
    a key should be. Lines that start deeper than `depth` go on with the text on line `valued`, unless it is `over`."""

    def __init__(self, mark: tuple[int, int]) -> None:
        super().__init__(mark)
        self.block: int | None = None
        self.bare: tuple[int, int, str] | None = None
        self.depth: int | None = None
        self.valued, self.over = 0, False

    def read(self, line: int, text: str) -> None:
        self.line, self.text = line, text
        indent = self.skip(0)
        if indent == len(text) or (text[indent] == "#" and not self.quote):
            return
        if self.block is not None and indent > self.block:
            return
        self.block = None
        if self.found and self.found_on < self.before:
            # libyaml looks one word ahead: what it has read since was right.
            self.found = None
        if self.open():
            self.next_line(indent)
            self.run(0 if self.quote else indent)
        else:
            self.begin(indent)
        self.before = line

    def begin(self, indent: int) -> None:
        """A line of a block."""
        text, bare = self.text, self.bare
        if bare and indent >= bare[1]:
            if _KEYED.match(text, indent):
                self.note(bare[0], bare[1], "a key without a colon", bare[2])
            return
        self.bare = None
        if self.depth is not None and indent > self.depth:
            if self.over or _KEYED.match(text, indent):
                message = f"this is indented further than line {self.valued + 1}, which has a value already"
                self.note(self.line, indent, message, "start both in the same column, or put a long text in quotes")
            return
        self.depth = None
        if not text.startswith(("---", "...", "%")):
            column, depth = indent, indent - 1
            while dash := _DASH.match(text, column):
                column, depth = dash.end(), column
            self.value(column, depth, first=True)

    def value(self, column: int, depth: int, first: bool = False) -> None:
        """A value of a block, or a key where it is the `first` thing."""
        props = _PROPERTIES.match(self.text, column)
        column = props.end() if props else column
        self.at(column)
        if self.ended(column):
            return
        char = self.text[column]
        self.depth, self.valued, self.over = depth, self.line, True
        if char in ENDS:
            self.push(column, depth)
            self.run(column + 1)
        elif char in "]}":
            self.stray(column)
        elif _BLOCK.match(self.text, column):
            self.block = depth
            self.depth = None
        elif char in "\"'":
            self.quoted(column, depth, first)
        else:
            self.words(column, first)

    def quoted(self, column: int, depth: int, first: bool) -> None:
        quote = self.quote = Open(self.text[column], self.line, column, depth)
        end = self.unquote(column + 1)
        colon = _COLON.match(self.text, end) if first and not self.quote else None
        if colon:
            self.depth = None
            self.value(self.skip(colon.end()), column)
        elif not self.quote:
            self.behind_quote(end, quote)

    def words(self, column: int, first: bool) -> None:
        found = _WORDS.match(self.text, column)
        end = found.end() if found else column
        colon = _COLON.match(self.text, end)
        if not first:
            self.over = end < len(self.text) and not colon
        elif colon:
            self.depth = None
            self.value(self.skip(colon.end()), column)
        elif found and _KEY_OF_BLOCK.match(found[0]):
            self.note(self.line, column, "a key without a colon", "write a colon behind the key")
            self.block, self.depth = column, None
        elif found:
            glued = _GLUED.match(found[0])
            hint = "write a space behind the colon" if glued else "write KEY: VALUE, or indent a long text further"
            self.bare, self.depth = (self.line, column, hint), None
