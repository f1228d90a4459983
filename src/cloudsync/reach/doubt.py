"""What a spec cannot tell: whether an address outside is one of a host of which it says none.

`ask` and `live` ask.
"""

from cloudsync.reach.ends import Party, Sort
from cloudsync.reach.own import UNFILTERED
from cloudsync.reach.scene import Scene
from cloudsync.reach.verdict import Verdict

_REMEDY = "write  address:  into the host, or ask with --live"


def doubt(scene: Scene, here: Party, there: Party, verdict: Verdict) -> str:
    """What a verdict leaves out, empty where nothing: a host's own address is closed to guests whatever their groups
    say, and open from there."""
    if here.sort is Sort.INSTANCE and verdict is Verdict.ALLOWED:
        return _told(scene, there, "no guest reaches a host's own address")
    if there.sort is Sort.INSTANCE and there.ports and verdict is Verdict.DENIED:
        return _told(scene, here, UNFILTERED)
    return ""


def _told(scene: Scene, party: Party, then: str) -> str:
    if not scene.unsaid or party.sort is not Sort.OUTSIDE or party.region[0] != party.region[1]:
        return ""
    hosts = " or ".join(f"host.{name}" for name in scene.unsaid)
    return f"unless {party.label} is an address of {hosts}, which the spec does not say: {then} ({_REMEDY})"
