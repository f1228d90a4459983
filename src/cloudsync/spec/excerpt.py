"""What is shown with a problem: its line, of a long one what is around the place, and of one that may hold a secret
only words of the language, and what the problem itself names. Pure; `document` asks."""

import re
from typing import NamedTuple

from cloudsync.spec.finding import Finding, Spot
from cloudsync.spec.words import in_place, printable, quote

LONGEST = 4_000
_AROUND = 200
_LONGEST_WORD = 64
_UNSEEN = ("metadata", "user_data")
"""What stands below these is nobody's business, nor is what keys are."""

_KEY = re.compile(rf"([\"']?)([\w.-]{{1,{_LONGEST_WORD}}})\1[ \t]*(?=:|$|[ \t])")
_KEY_BEFORE = re.compile(rf"(?:^|(?<=[\s{{,]))([\w-]{{1,{_LONGEST_WORD}}}):[ \t]*$")
_VALUE = re.compile(rf"([\"']?)([\w./:+=@-]{{1,{_LONGEST_WORD}}})\1(?=[\s,\]}}]|$)")
_BLANK = re.compile(r"[\s-]*")


class Excerpt(NamedTuple):
    """A part of a line, and the column, from 1, where that stands."""

    text: str = ""
    start: int = 1


def around(line: str, column: int) -> Excerpt:
    """All of it, unless it is long."""
    if len(line) <= LONGEST:
        return Excerpt(in_place(line), 1)
    start = max(0, min(column, len(line)) - 1 - _AROUND)
    end = start + 2 * _AROUND
    return Excerpt(in_place(line[start:end]) + ("…" if end < len(line) else ""), start + 1)


def alone(line: str, column: int, found: Finding | Spot, key_column: int | None) -> Excerpt:
    """Without what may be a secret. `key_column`: where the key of the value is, if in this line."""
    if isinstance(found, Spot):
        return _of_spot(line, column, found)
    key = found.trail[-1] if found.trail else ""
    if found.at_key:
        return _placed(line, column, f"{key}: …") if _told(found) else Excerpt()
    value = _value(line, column, found)
    if isinstance(key, int):
        return _placed(line, column, value) if value else Excerpt()
    between = line[key_column - 1 : column - 1] if key_column and key_column < column else ""
    if key and _told(found) and re.fullmatch(rf"[\"']?{re.escape(key)}[\"']?[ \t]*:[ \t]*", between) and key_column:
        return _placed(line, key_column, between + (value or "…"))
    return Excerpt()


def _told(found: Finding) -> bool:
    """Whether the key is named by the problem, a word of the language, or what something is called in every plan."""
    from cloudsync.spec import known

    key, above = found.trail[-1] if found.trail else "", found.trail[:-1]
    if not isinstance(key, str) or not 0 < len(key) < _LONGEST_WORD or quote(key) != f'"{key}"':
        return False
    return quote(key) in found.message or key in known.keys(above) or (len(above) == 1 and not known.keys(above))


def _value(line: str, column: int, found: Finding) -> str:
    """As it is written there, where the problem repeats it and it is none that nobody may see."""
    written = _VALUE.match(line, column - 1)
    unseen = found.trail[:1] == ("keypairs",) or any(step in _UNSEEN for step in found.trail)
    if found.secret or unseen or not written:
        return ""
    word = written[2]
    named = f'"{word}"' in found.message
    number = word.lstrip("-")[:1].isdigit() and re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", found.message)
    return f"{written[0]} …" if named or number else ""


def _of_spot(line: str, column: int, found: Spot) -> Excerpt:
    """A key that it names or that is a word of the language, or a bracket or quote."""
    from cloudsync.spec import known

    key = _KEY.match(line, column - 1)
    if key and (f'"{key[2]}"' in found.message or key[2] in known.everywhere()):
        return _placed(line, column, f"{key[0].rstrip()}{':' if line[key.end() : key.end() + 1] == ':' else ''} …")
    char = line[column - 1 : column]
    if not char or char not in "[]{}\"'":
        return Excerpt()
    before = _KEY_BEFORE.search(line, 0, column - 1)
    if before and before[1] in known.everywhere():
        return _placed(line, before.start() + 1, f"{before[0]}{char}…")
    return _placed(line, column, f"{char}…")


def _placed(line: str, column: int, text: str) -> Excerpt:
    """Where there is nothing before it, that much room is left."""
    margin = line[: column - 1]
    if _BLANK.fullmatch(margin) and len(margin) < LONGEST:
        return Excerpt(in_place(margin) + printable(text), 1)
    return Excerpt(f" {printable(text)}", column - 1) if column > 1 else Excerpt(printable(text), 1)
