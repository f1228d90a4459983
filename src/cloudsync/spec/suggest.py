"""Did you mean: the nearest known name, as a hint.

A broken spec can ask thousands of times among thousands of names, so the names are put in order once and only the most
likely of them are compared.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

from cloudsync.model.dataclass import dataclass
from cloudsync.spec.words import PRIVATE, listing, quote, some

MANY = 12
COMPARED = 200
LONGEST = 100


@dataclass(frozen=True, slots=True)
class _Index:
    """`folded` leads from a name without case and underscores to the name; `near` groups those by first letter."""

    names: tuple[str, ...]
    folded: dict[str, str]
    near: dict[str, list[str]]


@lru_cache(maxsize=64)
def _index(names: frozenset[str]) -> _Index:
    ordered = tuple(sorted(names))
    folded = {_fold(name): name for name in reversed(ordered)}
    near: dict[str, list[str]] = {}
    for name in sorted(folded):
        near.setdefault(name[:1], []).append(name)
    return _Index(ordered, folded, near)


def _fold(name: str) -> str:
    return name[:LONGEST].casefold().replace("_", "-")


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that `word` most likely stands for, or None when none is as similar as `cutoff` (0 to 1)."""
    index = _index(frozenset(known))
    wanted = _fold(word)
    if wanted in index.folded:
        return index.folded[wanted]
    likely = index.near.get(wanted[:1], []) if len(index.folded) > COMPARED else list(index.folded)
    if len(likely) > COMPARED:
        likely = sorted(likely, key=lambda name: abs(len(name) - len(wanted)))[:COMPARED]
    found = get_close_matches(wanted, likely, n=1, cutoff=cutoff)
    return index.folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], none: str = "", most: int = MANY) -> str:
    """A hint: the nearest name, else all of them when they are no more than `most`, else some; `none` when there are
    none at all."""
    names = frozenset(known)
    if not names:
        return none
    near = nearest(word, names)
    if near is not None:
        return f"did you mean {quote(near)}?"
    there = ["…" if PRIVATE.search(name) else name for name in _index(names).names]
    return f"known: {listing(there, 'and') if len(there) <= most else some(there)}"
