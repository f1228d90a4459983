"""How guests were answered, by tree and status: counted in the process, told to the agent once a second, for metrics.

The agent takes what could have been counted here and nothing else: the process may have been taken over by a guest.
"""

from collections import Counter
from collections.abc import Mapping

TREES = ("openstack", "ec2", "cloudsync", "none")
STATUSES = (200, 400, 404, 408, 409, 413, 414, 429, 431, 503)
_MOST = 1 << 40

Counts = Mapping[tuple[str, int], int]
"""Answers by tree and status, since the last time."""


class Tally:
    def __init__(self) -> None:
        self._counts: Counter[tuple[str, int]] = Counter()

    def add(self, path: tuple[str, ...], status: int) -> None:
        """One answer; `path` is empty where the request was not understood that far."""
        tree = "none" if not path else path[0] if path[0] in TREES[:3] else "ec2"
        self._counts[tree, status] += 1

    def taken(self) -> dict[str, int]:
        """What has been counted, as JSON; the count begins anew."""
        counts, self._counts = self._counts, Counter()
        return {f"{tree} {status}": count for (tree, status), count in sorted(counts.items())}


_KEYS = {f"{tree} {status}": (tree, status) for tree in TREES for status in STATUSES}


def from_json(plain: object) -> Counts:
    """ValueError unless it could have come from `taken`."""
    if not isinstance(plain, dict) or not plain.keys() <= _KEYS.keys():
        raise ValueError("not what is counted")
    if not all(type(count) is int and 0 <= count <= _MOST for count in plain.values()):
        raise ValueError("not counts")
    return {_KEYS[key]: count for key, count in plain.items()}
