"""How many worlds are tried: a few in every run, many with HYPOTHESIS_PROFILE=full."""

import os

from hypothesis import HealthCheck, Phase, settings

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
# Shrinking a failure here takes minutes and gives little: a world is small to begin with.
for name, examples, fixed in (("fast", 25, True), ("full", 2000, False)):
    settings.register_profile(
        name,
        max_examples=examples,
        derandomize=fixed,
        phases=(Phase.explicit, Phase.generate),
        deadline=None,
        database=None,
        suppress_health_check=_SLOW,
        report_multiple_bugs=False,
        print_blob=True,
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))
