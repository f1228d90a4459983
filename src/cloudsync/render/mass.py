"""Most of what belongs together goes: in words. Called by plan_text.py, and by the command that asks about it."""

from collections.abc import Iterable

from cloudsync.model.plan import Mass
from cloudsync.render.rolls import called


def most(listed: Iterable[Mass]) -> str:
    """`3 of the 3 instances of web, 4 of the 5 instances of the cloud`."""
    return ", ".join(f"{len(one.going)} of the {one.of} instances of {called(one.group)}" for one in listed)


def number(listed: Iterable[Mass]) -> int:
    """How many go in all."""
    return len({name for one in listed for name in one.going})
