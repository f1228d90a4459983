"""Against OR-tools CP-SAT on 50 random small fleets: as few hosts as can be, and a place wherever there is one.

Ten of them where WORLDS is not set.
"""

from functools import cache

import pytest

from cloudsync.scheduler.place import place
from tests.effort import tries
from tests.scheduler.fleets import fewest, fleet

pytestmark = pytest.mark.slow

ALL = 50
FLEETS = range(tries(ALL))


@cache
def optimum(seed: int) -> int | None:
    """Hosts that must be used at least, as CP-SAT proves it; None when it proves that there is no placement."""
    return fewest(*fleet(seed, "pack"))


def test_what_cp_sat_can_place_is_placed() -> None:
    """By either strategy, and what cannot be placed is not."""
    for strategy in ("spread", "pack"):
        for seed in FLEETS:
            _, unplaced = place(*fleet(seed, strategy))
            assert bool(unplaced) == (optimum(seed) is None), (strategy, seed)
    assert sum(optimum(seed) is not None for seed in FLEETS) >= len(FLEETS) // 2


def test_packing_is_within_2_percent_of_the_fewest_hosts() -> None:
    """Of hosts in use over all fleets that can be placed; on any one fleet it is at most one host more."""
    ours, least = 0, 0
    for seed in FLEETS:
        best = optimum(seed)
        if best is not None:
            used = len({one.host for one in place(*fleet(seed, "pack"))[0]})
            assert best <= used <= best + 1, seed
            ours, least = ours + used, least + best
    allowed = least * 1.02 if len(FLEETS) == ALL else least + 1
    assert ours <= allowed, (ours, least)
