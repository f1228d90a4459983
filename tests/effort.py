"""How hard properties are tried: on a few examples, always the same ones, in every run; on many with WORLDS=25, as
`make test` says. That is also how many worlds a law gets. And how long what has to come is waited for."""

import os

PATIENCE = 120.0
"""Seconds. Where others have the processors first, what takes one may take many."""
WORLDS = int(os.environ.get("WORLDS", "0"))


def tries(many: int) -> int:
    """A fifth of `many` unless much is wanted."""
    return many if WORLDS else many // 5
