"""Words for problems: what the user wrote, quoted so that no terminal and no secret is hurt. Used by every check."""

import re
from collections.abc import Iterable, Sequence

LONGEST = 60
PRIVATE = re.compile(
    r"PRIVATE KEY|b3BlbnNzaC1rZXktdjE|PuTTY-User-Key-File|AGE-SECRET-KEY-|^\s*MII[A-Za-z0-9+/]{20}", re.MULTILINE
)
_LINE_END = re.compile(r"[\r\n]")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """`text` with every character that a terminal could act on written as an escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def in_place(text: str) -> str:
    """`text` with the same number of characters, none of which a terminal could act on."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else " " if char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def quote(value: object) -> str:
    """What was written, in quotes when it is text: its first line, cut when it is long, withheld when it looks like a
    private key."""
    if not isinstance(value, str):
        return printable(str(value))[:LONGEST]
    if PRIVATE.search(value):
        return '"…"'
    line = _LINE_END.split(value, maxsplit=1)[0]
    text = printable(line)
    return f'"{text[:LONGEST]}…"' if len(text) > LONGEST or len(line) < len(value) else f'"{text}"'


def listing(words: Iterable[object], last: str = "or") -> str:
    """`a, b or c`."""
    texts = [str(word) for word in words]
    return f"{', '.join(texts[:-1])} {last} {texts[-1]}" if len(texts) > 1 else "".join(texts)


def some(names: Sequence[str], few: int = 5) -> str:
    """`a, b and 3 more`."""
    more = f" and {len(names) - few} more" if len(names) > few else ""
    return ", ".join(names[:few]) + more


def count(number: int, noun: str, nouns: str = "") -> str:
    """`1 instance`, `3 instances`."""
    return f"{number} {noun if number == 1 else nouns or noun + 's'}"
