"""How hard properties are tried: on a few examples, always the same ones, in every run; on many with WORLDS=25, as
`make test` says. That is also how many worlds a law gets."""

import os

WORLDS = int(os.environ.get("WORLDS", "0"))


def tries(many: int) -> int:
    """A fifth of `many` unless much is wanted."""
    return many if WORLDS else many // 5
