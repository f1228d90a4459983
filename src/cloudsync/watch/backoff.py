"""How long to wait before it is tried again: longer each time up to a bound, and not for all at once the same. Pure."""

FIRST, MOST = 1.0, 60.0
"""Seconds."""


def backoff(tries: int, chance: float, most: float = MOST) -> float:
    """Seconds after the failure number `tries` (from 1); `chance`, from 0 to 1, spreads those that failed together."""
    bound = min(most, FIRST * 2.0 ** min(tries - 1, 30))
    return bound * (0.5 + chance / 2)
