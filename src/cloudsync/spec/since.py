"""Whether a snapshot is of the BASE of a diff: what lies between them is in the plan as well. pipeline.py asks."""

from pathlib import Path

from cloudsync.model.difference import shown
from cloudsync.model.document import Applied
from cloudsync.spec.git import apart
from cloudsync.spec.versions import Version, place_of, same_in

_LATER = "take a new one with `status --save` once BASE is applied"
_EARLIER = "merge or rebase, so that BASE is what is deployed"


def since(path: Path, base: Version, last: Applied) -> str:
    """A warning where the snapshot is not of `base`; empty where the spec says the same there."""
    if base.absent and not last.at:
        return ""
    beside = f"the snapshot shows {shown(last)}; BASE is {base.commit[:12]}"
    if last.commit == base.commit:
        return f"{beside}: what of those changes is not in HEAD is undone in this plan" if last.dirty else ""
    if last.commit and not last.dirty and same_in(path, base, last.commit):
        return ""
    gap = apart(place_of(path)[1], base.commit, last.commit)
    return f"{beside}: what lies between them is in this plan too; {_LATER if gap is None or gap[0] else _EARLIER}"
