"""Which lines hold what stands under keys that the language does not have. It may be anything, user-data under another
name too, so `document` shows none of it unless the key is plainly a known one, misspelt or in the wrong place."""

from collections.abc import Iterator, Sequence

from cloudsync.spec import known
from cloudsync.spec.compose import Map, Seq, Value
from cloudsync.spec.finding import Trail
from cloudsync.spec.suggest import nearest

_Spot = tuple[int, int]

_MISSPELT = 0.75
"""How similar a key must be to a known one; `did you mean` asks for less."""


def stranger_lines(root: Map, lines: Sequence[str]) -> frozenset[int]:
    """Indexes (from 0) of lines to withhold."""
    hidden: set[int] = set()
    for start, end in _extents(root, (), (len(lines), 0)):
        row, column = end
        shared = row < len(lines) and bool(lines[row][:column].strip(" -"))
        hidden.update(range(start, max(row + shared, start + 1)))
    return frozenset(hidden)


def _extents(value: Value, trail: Trail, end: _Spot) -> Iterator[tuple[int, _Spot]]:
    """The row where each stranger begins, and where what follows it begins. Names that are free are `*` in `trail`."""
    if isinstance(value, Seq):
        for index, item in enumerate(value):
            after = value.marks[index + 1] if index + 1 < len(value) else end
            yield from _extents(item, (*trail, 0), after)
    if not isinstance(value, Map):
        return
    possible = known.keys(trail)
    ends = _ends(value, end)
    for key, inner in value.items():
        if key in possible or not possible:
            yield from _extents(inner, (*trail, key if possible else "*"), ends[key])
        elif not harmless(key, inner, possible):
            yield value.marks[key][0], ends[key]


def _ends(value: Map, end: _Spot) -> dict[str, _Spot]:
    """Where each key's value ends: at the next key; keys that `<<` brings in are written elsewhere."""
    ordered = sorted(value.marks, key=lambda key: value.marks[key][:2])
    after = [value.marks[key][:2] for key in ordered[1:]]
    return dict(zip(ordered, [*after, end], strict=True)) if ordered else {}


def harmless(key: str, value: Value, possible: frozenset[str]) -> bool:
    """Whether what stands under this key, which is none of the possible ones, may be shown."""
    from cloudsync.spec.secrets import like_user_data

    if like_user_data(key):
        return False
    if value is None or isinstance(value, bool) or value in ([], {}):
        return True
    one_line = not (isinstance(value, str) and "\n" in value)
    return one_line and (key in known.everywhere() or nearest(key, possible, _MISSPELT) is not None)
