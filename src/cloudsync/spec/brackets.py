"""Brackets and quotes of a YAML text, line by line: what is open, and what is wrong there. `slip` reads with it. Pure.

Lines are read as people mean them: what is opened ends before a line that starts no deeper than the key it belongs to.
"""

import re

from cloudsync.model.dataclass import dataclass
from cloudsync.spec.finding import Spot

ENDS = {"[": "]", "{": "}"}
_DEEPEST = 64
_SPACE = re.compile(r"[ \t]*")
_ASIDE = re.compile(r"[&!*][^\s,\[\]{}]*")
_COLON = re.compile(r":(?=[\s,\[\]{}]|$)")
_QUOTED = {'"': re.compile(r'(?:[^"\\]|\\.)*+("?)'), "'": re.compile(r"(?:[^']|'')*+('?)")}
_WORDS = re.compile(r"(?:[^\s:#,\[\]{}]|:(?![\s,\[\]{}]|$)|(?<=\S)#|[ \t]++(?![:#,\[\]{}]|$))+")


@dataclass(slots=True)
class Open:
    """A bracket or quote that waits for its end. Lines that start no deeper than `depth` do not belong to it. Of the
    entry that is read: `colons`, `last`, where its last word is, and `full`, whether it has a value, which is over
    unless it is `plain`."""

    char: str
    line: int
    column: int
    depth: int
    colons: int = 0
    last: tuple[int, int] = (0, 0)
    full: bool = False
    plain: bool = False


@dataclass(slots=True)
class Left:
    """What was open when a line began that does not belong to it, what would have ended it, and on which line."""

    inner: Open
    ends: str
    line: int


class Brackets:
    """`mark` is where libyaml gave up, and `open_there` what was open there. `found` is what was wrong before that,
    seen on line `found_on`."""

    def __init__(self, mark: tuple[int, int]) -> None:
        self.mark = mark
        self.line, self.before, self.text = 0, 0, ""
        self.stack: list[Open] = []
        self.quote: Open | None = None
        self.left: Left | None = None
        self.found: Spot | None = None
        self.found_on = 0
        self.reached = False
        self.open_there: Open | None = None

    def open(self) -> Open | None:
        return self.quote or (self.stack[-1] if self.stack else None)

    def leave(self) -> Left | None:
        """What is open, as if it had to be over."""
        inner = self.open()
        ends = self.quote.char if self.quote else "".join(ENDS[one.char] for one in reversed(self.stack))
        return Left(inner, ends, self.before) if inner else None

    def next_line(self, indent: int) -> None:
        """Another one begins while something is open."""
        outer = self.stack[0] if self.stack else self.quote
        if outer and indent <= outer.depth and self.text[indent] not in "]}" and not self.left:
            self.left = self.leave()
        self.at(indent)

    def at(self, column: int) -> None:
        if not self.reached and (self.line, column) >= self.mark:
            self.reached, self.open_there = True, self.open()

    def skip(self, column: int) -> int:
        found = _SPACE.match(self.text, column)
        return found.end() if found else column

    def ended(self, column: int) -> bool:
        """Whether nothing but a comment comes."""
        text = self.text
        return column >= len(text) or (text[column] == "#" and (column == 0 or text[column - 1] in " \t"))

    def note(self, line: int, column: int, message: str, hint: str) -> None:
        if self.found is None and self.line <= self.mark[0]:
            self.found, self.found_on = Spot(line + 1, column + 1, message, hint), self.line

    def push(self, column: int, depth: int) -> None:
        depth = self.stack[0].depth if self.stack else depth
        if len(self.stack) < _DEEPEST:
            self.stack.append(Open(self.text[column], self.line, column, depth))

    def run(self, column: int) -> None:
        """The rest of a line in brackets or in quotes."""
        while quote := self.open():
            if quote is self.quote:
                column = self.unquote(column)
                if self.quote:
                    return
                if self.stack:
                    self.fill(quote.line, quote.column)
                self.behind_quote(column, quote)
            column = self.skip(column)
            if not self.stack or self.ended(column):
                return
            column = self.word(column)
            if not self.open():
                self.behind(column, "closing bracket")

    def unquote(self, column: int) -> int:
        """Where the quote ends, or the line."""
        found = _QUOTED[self.quote.char].match(self.text, column) if self.quote else None
        if found and found[1]:
            self.quote = None
            self.left = self.left if self.stack else None
        return found.end() if found else column

    def behind_quote(self, column: int, quote: Open) -> None:
        """Where no end of a text can be, another text begins: the first one had no end."""
        after = self.skip(column)
        odd = not self.ended(after) and self.text[after] not in (",]}:" if self.stack else ":")
        if odd and (quote.line < self.line or " #" in self.text[quote.column : column]):
            self.note(quote.line, quote.column, "this quote is never closed", f"add {quote.char} where its text ends")
        elif not self.stack:
            self.behind(column, "closing quote")

    def behind(self, column: int, what: str) -> None:
        """What follows the end of a value in a block."""
        column = self.skip(column)
        if self.ended(column) or self.text[column] == ":":
            return
        if self.text[column] in "]}":
            self.stray(column)
        else:
            self.note(self.line, column, f"this stands behind the {what}", "remove it, or put the whole text in quotes")

    def fill(self, line: int, column: int) -> None:
        """A value of the entry that is read is over."""
        top = self.stack[-1]
        top.full, top.plain, top.last = True, False, (line, column)

    def word(self, column: int) -> int:
        """The next thing between brackets; where it ends."""
        self.at(column)
        text, top = self.text, self.stack[-1]
        char = text[column]
        if char in "]}":
            self.close(column)
            return column + 1
        if char == ",":
            top.colons, top.full = 0, False
            return column + 1
        if char == ":" and (top.full or _COLON.match(text, column)):
            top.colons += 1
            if top.colons > 1 and text[column + 1 : column + 2] in (",", "]", "}"):
                self.note(self.line, column, 'a ":" ends a text between { and }', "put the text in quotes")
            elif top.colons > 1:
                self.unparted(*top.last)
            top.full = False
            return column + 1
        words = None if char in "\"'[{&!*" else _WORDS.match(text, column)
        if top.full and not (words and top.plain):
            self.unparted(self.line, column)
        if words:
            top.full = top.plain = True
            top.last = self.line, words.end() - len(words[0].split()[-1])
            return words.end()
        return self.begin_word(column, char)

    def begin_word(self, column: int, char: str) -> int:
        if char in ENDS:
            self.push(column, 0)
        elif char in "\"'":
            self.quote = Open(char, self.line, column, self.stack[0].depth)
        else:
            aside = _ASIDE.match(self.text, column)
            return aside.end() if aside else column + 1
        return column + 1

    def unparted(self, line: int, column: int) -> None:
        self.note(line, column, "a comma is missing before this", f"add it, or {ENDS[self.stack[-1].char]}")

    def close(self, column: int) -> None:
        char, top = self.text[column], self.stack[-1]
        if all(ENDS[one.char] != char for one in self.stack):
            self.stray(column)
            return
        if ENDS[top.char] != char:
            hint = f"add {ENDS[top.char]} before the {char}"
            self.note(top.line, top.column, f"this {top.char} is never closed", hint)
        while ENDS[self.stack.pop().char] != char:
            pass
        if self.stack:
            self.fill(self.line, column)
        else:
            self.left = None

    def stray(self, column: int) -> None:
        if self.found or self.line > self.mark[0]:
            return
        char, top = self.text[column], self.stack[-1] if self.stack else None
        if top and ENDS[top.char] not in self.text[column:]:
            hint = f"write {ENDS[top.char]} to close the {top.char} on line {top.line + 1}"
        else:
            hint = f"remove it, or write {'[' if char == ']' else '{'} where it begins"
        self.note(self.line, column, f"this {char} closes nothing", hint)
