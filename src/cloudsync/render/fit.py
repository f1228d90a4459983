"""How wide words are in a drawing, about: enough to cut them before they run into something. graph_svg.py asks.

No font is the same everywhere, so that the widest usual one counts.
"""

from unicodedata import east_asian_width

_NARROW, _WIDE, _BROAD = frozenset("ijl.,:;'|![]()/ft "), frozenset("mMW@%—"), frozenset("w×→…+~−")


def width(text: str, small: bool = False) -> float:
    """In pixels, of 13 pixels' text in bold, or 11 pixels' in plain."""
    return sum(_of(char) for char in text) * (11 if small else 14.5)


def fitting(text: str, room: int, small: bool = False) -> str:
    """As much of it as there is room for."""
    if width(text, small) <= room:
        return text
    left = room - width("…", small)
    for index, char in enumerate(text):
        left -= width(char, small)
        if left < 0:
            return f"{text[:index].rstrip()}…"
    return text


def _of(char: str) -> float:
    if east_asian_width(char) in "WF":
        return 1.05
    if char in _NARROW:
        return 0.4
    if char in _WIDE:
        return 1.0
    return 0.84 if char.isupper() or char in _BROAD else 0.64
