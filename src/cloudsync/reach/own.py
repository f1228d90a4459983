"""What a host itself sends to instances: its own get all of it, others what groups and the way there let through.

`encounters` asks.
"""

from collections.abc import Collection

from cloudsync.reach.scene import Scene
from cloudsync.reach.service import Service
from cloudsync.reach.verdict import Outcome, Verdict

UNFILTERED = "what a host itself sends to its guests is not filtered"
_REDIRECT = "no guest gets redirects from its host"
_TUNNEL = "with  fabric: vxlan  a host itself reaches its own instances only"


def unfiltered(asked: Service) -> Outcome:
    """To a guest of its own."""
    if asked.icmp and asked.icmp[0] == 5:
        return Outcome(asked, Verdict.DENIED, why=_REDIRECT)
    return Outcome(asked, Verdict.ALLOWED, why=UNFILTERED)


def sent(
    scene: Scene, name: str, places: Collection[str], asked: Service, judged: tuple[Outcome, ...]
) -> tuple[Outcome, ...]:
    """By the host `name`, to an instance that is in one of `places`; `judged` is what groups let through."""
    if set(places) == {name}:
        return (unfiltered(asked),)
    elsewhere = (Outcome(asked, Verdict.DENIED, why=_TUNNEL),) if scene.tunnelled else judged
    if not {"", name} & set(places):
        return elsewhere
    sure = tuple(one for one in elsewhere if one.verdict is Verdict.ALLOWED)
    if sure and asked.single:
        return sure
    others = "of those of other hosts it reaches none" if scene.tunnelled else "for those of other hosts groups decide"
    why = f"it depends on the host that it is on: what host.{name} itself sends to its own is not filtered, {others}"
    return (*sure, Outcome(asked, Verdict.DEPENDS, why=why))
