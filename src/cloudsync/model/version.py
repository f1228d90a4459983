"""How far apart the versions of controller and agent are: one step works, more says who is to be upgraded. Pure."""

import re

_VERSION = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})(?:[.+a-z0-9-].*)?")


def upgrade(ours: str, theirs: str) -> str:
    """Why the agent cannot be worked with, and who is behind; empty when they are at most one minor version apart, or
    when one of them is no version."""
    here, there = _VERSION.fullmatch(ours), _VERSION.fullmatch(theirs)
    if not here or not there:
        return ""
    ahead = (int(here[1]) - int(there[1]), int(here[2]) - int(there[2]))
    if ahead[0] == 0 and abs(ahead[1]) <= 1:
        return ""
    behind = f"upgrade cloudsync there to {ours}" if ahead > (0, 0) else f"upgrade this cloudsync to {theirs}"
    return f"its agent is version {theirs}, this is {ours}, and only one version apart works: {behind}"
