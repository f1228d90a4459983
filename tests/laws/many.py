"""How a law is tried: on the few worlds of `make check` or the many of `make test`, always the same; on more, never the
same, with WORLDS=2000."""

from hypothesis import HealthCheck, Phase, settings

from tests.effort import WORLDS

# Shrinking a failure here takes minutes and gives little: a world is small to begin with.
law = settings(
    max_examples=WORLDS or 3,
    derandomize=WORLDS <= 50,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    report_multiple_bugs=False,
    print_blob=True,
)
