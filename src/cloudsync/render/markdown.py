"""Text that strangers wrote, as Markdown in which it is text and nothing else. plan_markdown.py builds on it.

On GitHub and GitLab nobody is notified and nothing becomes a link within code. There, characters are written as
entities or stand in a fence that is longer than any they could close.
"""

import re
from collections.abc import Iterable, Sequence

from cloudsync.spec.words import printable

LONGEST = 500
"""Characters of a line: what is cut can be read in the text."""

_TICKS = re.compile(r"`+")
_FRAME = 100
"""What a section takes beside its title and lines, and the line that counts what is left out."""


def inline(text: str) -> str:
    """A word or two, as code."""
    return f"<code>{''.join(_entity(char) for char in shortened(text))}</code>"


def _entity(char: str) -> str:
    """Whatever has a meaning in Markdown or HTML is none of these."""
    return char if char.isascii() and (char.isalnum() or char == " ") else f"&#{ord(char)};"


def fenced(lines: Iterable[str]) -> str:
    """Lines, coloured by their first character where that is done."""
    shown = [shortened(line) for line in lines]
    longest = max((len(found) for line in shown for found in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}diff", *shown, fence])


def shortened(text: str) -> str:
    """One line of it."""
    text = printable(text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def folded(title: str, lines: Sequence[str], room: int, is_open: bool = False) -> str:
    """A section that can be opened, with as many of `lines` as there is `room` for and the number of the others.
    `title` is ours."""
    shown: list[str] = []
    left = room - len(title) - _FRAME
    for line in lines:
        left -= units(shortened(line)) + 1
        if left < 0:
            break
        shown.append(line)
    rest = len(lines) - len(shown)
    more = [f"… and {rest:,} more"] if rest else []
    opening = "<details open>" if is_open else "<details>"
    summary = f"<summary>{title} ({len(lines):,})</summary>"
    return f"{opening}{summary}\n\n{fenced([*shown, *more])}\n\n</details>"


def units(text: str) -> int:
    """Its length as it is counted by who counts UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shares(sizes: Sequence[int], room: int) -> list[int]:
    """Who needs less than an equal share leaves the rest of it to the others."""
    found = [0] * len(sizes)
    order = sorted(range(len(sizes)), key=lambda index: sizes[index])
    for turn, index in enumerate(order):
        found[index] = min(sizes[index], room // (len(order) - turn))
        room -= found[index]
    return found


def needed(title: str, lines: Iterable[str]) -> int:
    """The room in which nothing is left out."""
    return len(title) + _FRAME + sum(units(shortened(line)) + 1 for line in lines)
