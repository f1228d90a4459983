"""YAML text to plain values that know where they were written. `document` calls it.

libyaml's event stream is consumed without recursion, so that neither deep nesting nor an anchor bomb costs anything:
aliases share one value, and what they would expand to is only counted.
"""

import re
from dataclasses import field
from typing import Any

from cloudsync.model.dataclass import dataclass
from cloudsync.spec.finding import Spot
from cloudsync.spec.scalar import TAGS, plain
from cloudsync.spec.syntax import NO_TEXT, explain, missing_anchor
from cloudsync.spec.words import quote
from cloudsync.spec.yaml import (
    AliasEvent,
    BrokenYaml,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    events,
)

MOST_NODES = 500_000
DEEPEST = 48

_IN_TEXT = re.compile(r"(?<=[^\s,\[\]{}\"'!])[:?](?=[^\s,\[\]{}])")
_STAND_INS = str.maketrans(":?", "\ue000\ue001")
_BACK = str.maketrans("\ue000\ue001", ":?")
"""Of no meaning to anybody: libyaml takes them for letters."""

Value = Any  # str, int, float, bool, None, Map or Seq
Marks = tuple[int, int, int, int]  # line and column of the key, then of the value; from 0


class Map(dict[str, Value]):
    """A mapping; keys are the text that was written. `marks` has the same keys."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        super().__init__()
        self.marks: dict[str, Marks] = {}


class Seq(list[Value]):
    """A list; `marks` has line and column, from 0, of each item."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        super().__init__()
        self.marks: list[tuple[int, int]] = []


class _Stop(Exception):
    """Nothing after this can be read; its spot is among the others already."""


@dataclass(slots=True)
class _Frame:
    value: Map | Seq
    anchor: str | None
    key: str | None = None
    key_at: tuple[int, int] = (0, 0)
    weight: int = 1
    merges: list[Map] = field(default_factory=list)
    again: list[tuple[Value, Value]] = field(default_factory=list)


@dataclass(slots=True)
class Composed:
    """`spots` are the problems with the YAML itself. `empty`: the text held no document. `complete`: all was read.
    `simple`: no part depends on another, for there are no anchors, merges and tags. `nodes`: how many values it has."""

    root: Value = None
    spots: list[Spot] = field(default_factory=list)
    empty: bool = True
    complete: bool = False
    simple: bool = True
    disguised: bool = False
    nodes: int = 0


class _Composer:
    def __init__(self, disguised: bool) -> None:
        self.disguised = disguised
        self.result = Composed(disguised=disguised)
        self.frame: _Frame | None = None
        self.stack: list[_Frame] = []
        self.anchors: dict[str, tuple[Value, int]] = {}
        self.nodes = 0
        self.handlers = {
            ScalarEvent: self.scalar,
            MappingStartEvent: self.start_map,
            SequenceStartEvent: self.start_seq,
            MappingEndEvent: self.end,
            SequenceEndEvent: self.end,
            AliasEvent: self.alias,
            DocumentStartEvent: self.start_document,
        }

    def spot(self, event: Any, message: str, hint: str = "") -> None:
        mark = event.start_mark
        self.result.spots.append(Spot(mark.line + 1, mark.column + 1, message, hint))

    def stop(self, event: Any, message: str, hint: str = "") -> _Stop:
        self.spot(event, message, hint)
        return _Stop()

    def start_document(self, event: Any) -> None:
        if not self.result.empty:
            raise self.stop(
                event, "a second YAML document starts here", "keep one document in the file: remove this ---"
            )

    def scalar(self, event: Any) -> None:
        text: str = event.value.translate(_BACK) if self.disguised else event.value
        frame = self.frame
        if frame is not None and frame.key is None and type(frame.value) is Map:
            mark = event.start_mark
            frame.key, frame.key_at = text, (mark.line, mark.column)
            if event.anchor:
                self.anchors[event.anchor] = (text, 1)
            return
        value: Value = text
        if event.ctag is not None:
            value = self.tagged(event, text)
        elif not event.style:
            value = plain(text)
        if event.anchor:
            self.anchors[event.anchor] = (value, 1)
        self.add(event, value, 1)

    def tagged(self, event: Any, text: str) -> Value:
        self.result.simple = False
        tag = str(event.ctag)
        if tag not in TAGS:
            self.unknown_tag(event)
        return plain(text) if TAGS.get(tag) else text

    def unknown_tag(self, event: Any) -> None:
        tag = str(event.ctag).replace("tag:yaml.org,2002:", "!!")
        self.spot(event, f"the tag {quote(tag)} means nothing here", "remove the tag")

    def add(self, event: Any, value: Value, weight: int) -> None:
        self.nodes += weight
        if self.nodes > MOST_NODES:
            raise self.stop(event, f"this would be more than {MOST_NODES:,} values", "do not nest anchors in anchors")
        frame = self.frame
        mark = event.start_mark
        if frame is None:
            self.result.root = value
            self.result.empty = False
            return
        frame.weight += weight
        holder = frame.value
        if isinstance(holder, Seq):
            holder.append(value)
            holder.marks.append((mark.line, mark.column))
            if value is None:
                self.blank(mark.line, mark.column, "an item of this list")
            return
        key = frame.key
        if key is None:
            raise BrokenYaml(NO_TEXT, (mark.line, mark.column))
        frame.key = None
        if key == "<<":
            self.merge(event, frame, value)
        elif key in holder and self.duplicate(frame, holder, key):
            # What a section has the second time is referred to, too.
            if not self.stack:
                frame.again.append((holder[key], value))
        else:
            holder[key] = value
            holder.marks[key] = (*frame.key_at, mark.line, mark.column)
            if value is None and self.stack:
                self.blank(*frame.key_at, quote(key))

    def blank(self, line: int, column: int, what: str) -> None:
        hint = "write a value, or {} or [] for an empty one, or remove the line"
        self.result.spots.append(Spot(line + 1, column + 1, f"{what} has no value", hint))

    def duplicate(self, frame: _Frame, holder: Map, key: str) -> bool:
        """Whether the first counts: with nothing in it, all that refers to the second would be told as missing."""
        line, column = frame.key_at
        first = holder.marks[key][0] + 1
        hint = f"remove one of the two, or rename it; the first is on line {first}"
        self.result.spots.append(Spot(line + 1, column + 1, f"the key {quote(key)} is here twice", hint))
        return bool(holder[key])

    def merge(self, event: Any, frame: _Frame, value: Value) -> None:
        self.result.simple = False
        sources = value if isinstance(value, Seq) else [value]
        if not all(isinstance(source, Map) for source in sources):
            self.spot(event, "<< takes a mapping, or a list of mappings", "for example  <<: *name")
            return
        frame.merges.extend(sources)

    def start_map(self, event: Any) -> None:
        self.start(event, Map(), "tag:yaml.org,2002:map")

    def start_seq(self, event: Any) -> None:
        self.start(event, Seq(), "tag:yaml.org,2002:seq")

    def start(self, event: Any, value: Map | Seq, tag: str) -> None:
        if event.ctag is not None:
            self.result.simple = False
            if str(event.ctag) not in (tag, "!"):
                self.unknown_tag(event)
        if len(self.stack) >= DEEPEST:
            raise self.stop(event, f"nested more than {DEEPEST} levels deep", "nothing in a spec is that deep")
        self.add(event, value, 1)
        if self.frame is not None:
            self.stack.append(self.frame)
        if event.anchor:
            self.anchors.pop(event.anchor, None)
        self.frame = _Frame(value, event.anchor)

    def end(self, _: Any) -> None:
        frame = self.frame
        assert frame is not None  # noqa: S101 - libyaml pairs its events
        if isinstance(frame.value, Map):
            for first, second in frame.again:
                if isinstance(first, Map) and isinstance(second, Map):
                    _supply(first, second)
            for source in frame.merges:
                _supply(frame.value, source)
        if frame.anchor:
            self.anchors[frame.anchor] = (frame.value, frame.weight)
        self.frame = self.stack.pop() if self.stack else None
        if self.frame is not None:
            self.frame.weight += frame.weight - 1

    def alias(self, event: Any) -> None:
        known = self.anchors.get(event.anchor)
        if known is None:
            inside = any(frame and frame.anchor == event.anchor for frame in (*self.stack, self.frame))
            raise self.stop(event, *missing_anchor(event.anchor, self.anchors, inside))
        value, weight = known
        frame = self.frame
        if frame is not None and frame.key is None and isinstance(frame.value, Map):
            raise self.stop(event, "a key must be a plain text", "write KEY: VALUE")
        self.add(event, value, weight)


def _supply(holder: Map, source: Map) -> None:
    """What is not there yet."""
    for key, value in source.items():
        if key not in holder:
            holder[key] = value
            holder.marks[key] = source.marks[key]


def compose(text: str) -> Composed:
    """The one document in `text`. Never raises: what is wrong is in `spots`.

    libyaml knows YAML 1.1, where a plain text between { and } ends at any colon or question mark. In 1.2 one that
    something follows belongs to it (`{uri: qemu:///system}`): those are read with something else in their place.
    """
    found, broken = composed(text, disguised=False)
    other = disguise(text) if broken else None
    if other is not None:
        again, still = composed(other, disguised=True)
        if not (broken and still and broken.at >= still.at):
            found, broken = again, still
    if broken:
        last = explain(broken, text)
        # What was read behind it was not meant.
        found.spots = [*(one for one in found.spots if (one.line, one.column) < (last.line, last.column)), last]
    return found


def disguise(text: str) -> str | None:
    """None where it holds what would stand in."""
    return _IN_TEXT.sub(lambda one: one[0].translate(_STAND_INS), text) if text.translate(_BACK) == text else None


def composed(text: str, disguised: bool) -> tuple[Composed, BrokenYaml | None]:
    """What was read, and why it ended where the text is no YAML."""
    composer = _Composer(disguised)
    handlers = composer.handlers
    result = composer.result
    try:
        for event in events(text):
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event)
        result.complete = True
        result.nodes, result.simple = composer.nodes, result.simple and not composer.anchors
    except _Stop:
        pass
    except BrokenYaml as error:
        return result, error
    return result, None
