"""Packets that an instance's security groups denied, as the agent remembers them."""

from cloudsync.model.dataclass import dataclass
from cloudsync.model.resources import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """Like packets seen `count` times; `first` and `last` are ISO 8601, UTC.

    `side` is whose rules denied: ingress when others sent them to the instance. `groups` are all groups of the
    instance: none of them has a rule that allows it. Ports are None where the protocol has none or a fragment hides
    them, `source_port` is the latest one's. The kernel passes on a few packets a second: `count` is no total.
    """

    side: Direction
    protocol: str
    source: str
    target: str
    source_port: int | None = None
    target_port: int | None = None
    icmp: tuple[int, int] | None = None
    count: int = 1
    first: str = ""
    last: str = ""
    groups: tuple[str, ...] = ()
