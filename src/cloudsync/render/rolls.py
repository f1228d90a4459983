"""What a plan takes down bit by bit, one line a group. Called by plan_text.py."""

from collections.abc import Iterable

from cloudsync.model.plan import Roll
from cloudsync.spec.words import some

_FEW = 6


def rolls(listed: Iterable[Roll]) -> list[str]:
    """`web: one at a time, each waits until the last is back (web-1, web-2, web-3)`."""
    return [_roll(one) for one in listed]


def _roll(one: Roll) -> str:
    group = called(one.group)
    if one.at_once > 1:
        said = f"{group}: {one.at_once} at a time, they wait until those before are back ({some(one.instances, _FEW)})"
    else:
        said = f"{group}: one at a time, each waits until the last is back ({some(one.instances, _FEW)})"
    first = f"; before any of them, {some(one.awaited, _FEW)} must be back" if one.awaited else ""
    return said + first


def called(group: str) -> str:
    """`web`, `placement group near`, `the cloud`."""
    kind, _, name = group.partition(".")
    return {"instance": name, "placement_group": f"placement group {name}"}.get(kind, "the cloud")
