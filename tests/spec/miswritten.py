"""Specs with one thing in them written wrongly: every value in turn, and every key."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from cloudsync.spec.yaml import MappingStartEvent, ScalarEvent, SequenceStartEvent, events

Span = tuple[int, int]
"""Where something starts and ends in a text."""

WORDS = {
    "a word": "frob",
    "capitals": "Frob_Nicate.",
    "strange characters": json.dumps("-a b/c*\u00e9\t"),
    "a number": "12345",
    "a negative number": "-7",
    "a huge number": "99999999999999999999",
    "a fraction": "1.5",
    "infinity": ".inf",
    "truth": "true",
    "a quoted number": '"1"',
    "another kind of address": "'fe80::1/64'",
    "an empty text": '""',
    "nothing": "~",
    "a long text": "x" * 300,
    "two lines": '"one\\ntwo"',
    "a list": "[frob]",
    "a list of others": "[[], {}]",
    "an empty list": "[]",
    "a mapping": "{frob: 1}",
    "an empty mapping": "{}",
}
"""What may stand where something else must, as YAML."""

UNSEEN = "hunter2"
PRIVATE = {
    "OpenSSH's": f"b3BlbnNzaC1rZXktdjEAAAAA{UNSEEN}",
    "PEM": f'"-----BEGIN RSA PRIVATE KEY-----\\n{UNSEEN}"',
    "PEM in one line": f'"-----BEGIN RSA PRIVATE KEY----- {UNSEEN}"',
    "age's": f"AGE-SECRET-KEY-1{UNSEEN.upper()}",
}
"""Private keys: what nobody may see."""


class Entry(NamedTuple):
    """A key, and the value behind it. `column` is where the key stands, None between { and }."""

    key: Span
    value: Span
    column: int | None


class _Open(NamedTuple):
    """A mapping or a list that has not ended. `key` waits for its value."""

    start: int
    mapping: bool
    flow: bool
    key: tuple[Span, int | None] | None = None


def values(text: str) -> list[Span]:
    """Of keys and in lists, those that hold others included."""
    return [span for span, _ in _values(text)]


def entries(text: str) -> list[Entry]:
    return [Entry(key[0], span, key[1]) for span, key in _values(text) if key]


def _values(text: str) -> Iterator[tuple[Span, tuple[Span, int | None] | None]]:
    """Each with the key that it belongs to."""
    stack: list[_Open] = []
    end = 0
    for event in events(text):
        at = event.start_mark
        if isinstance(event, ScalarEvent):
            end = at.index + len(text[at.index : event.end_mark.index].rstrip())
            if stack and stack[-1].mapping and stack[-1].key is None:
                stack[-1] = stack[-1]._replace(key=((at.index, end), None if stack[-1].flow else at.column))
            else:
                yield (at.index, end), _key(stack)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            stack.append(_Open(at.index, isinstance(event, MappingStartEvent), bool(event.flow_style)))
        elif stack:
            one = stack.pop()
            end = event.end_mark.index if one.flow else end
            if stack:
                yield (one.start, end), _key(stack)


def _key(stack: list[_Open]) -> tuple[Span, int | None] | None:
    key = stack[-1].key
    stack[-1] = stack[-1]._replace(key=None)
    return key


def put(text: str, span: Span, word: str) -> str:
    """With something else there."""
    return text[: span[0]] + word + text[span[1] :]


def removed(text: str, entry: Entry) -> str:
    """Without the key and its value."""
    start, end = entry.key[0], entry.value[1]
    if entry.column is None and text[end : end + 1] == ",":
        end += 1
    elif entry.column is None and text[:start].rstrip().endswith(","):
        start = text.rindex(",", 0, start)
    return put(text, (start, end), "")


def doubled(text: str, entry: Entry) -> str:
    """With the key and its value once more."""
    between = ", " if entry.column is None else "\n" + " " * entry.column
    return put(text, (entry.key[0], entry.key[0]), text[entry.key[0] : entry.value[1]] + between)


def _respelt(word: Callable[[str], str]) -> Callable[[str, Entry], str]:
    return lambda text, entry: put(text, entry.key, word(text[slice(*entry.key)]))


KEYS: Mapping[str, Callable[[str, Entry], str]] = {
    "misspelt": _respelt(lambda key: key + key[-1]),
    "in capitals": _respelt(str.upper),
    "another word": _respelt(lambda _: "frob"),
    "a number": _respelt(lambda _: "7"),
    "empty": _respelt(lambda _: '""'),
    "of strange characters": _respelt(lambda _: '"a b*"'),
    "of two lines": _respelt(lambda _: '"one\\ntwo"'),
    "long": _respelt(lambda key: key + "x" * 300),
    "removed": removed,
    "doubled": doubled,
}
"""What may become of a key."""
