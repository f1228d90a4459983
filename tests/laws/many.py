"""How many worlds a law is tried on: a few, always the same, in every run; many, never the same, with WORLDS=2000."""

import os

from hypothesis import HealthCheck, Phase, settings

_WORLDS = int(os.environ.get("WORLDS", "0"))

# Shrinking a failure here takes minutes and gives little: a world is small to begin with.
law = settings(
    max_examples=_WORLDS or 25,
    derandomize=not _WORLDS,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    report_multiple_bugs=False,
    print_blob=True,
)
