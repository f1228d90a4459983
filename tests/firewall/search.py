"""Hypothesis looking for a spec on which the kernel and the model differ; a test and a benchmark call it."""

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.firewall.arena import Arena
from tests.firewall.worlds import CHANGES, World


def search(arena: Arena, trials: int, probes: int) -> None:
    """Raise the Difference found, for the smallest specs that still show it; `probes` are for each world of a trial."""

    @settings(
        max_examples=trials,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=True,
    )
    @given(CHANGES, st.integers(0, 1 << 32))
    def trial(worlds: list[World], seed: int) -> None:
        arena.trial(worlds, seed, probes)

    trial()
