"""Packets that an instance's security groups denied, as the agent remembers them, and why there may be none to tell."""

from collections.abc import Mapping, Sequence

from cloudsync.model.cloud import Wanted
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import CloudsyncError, Place
from cloudsync.model.resources import Direction, Group, Instance


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


def unlogged(
    one: Instance | Wanted, known: Mapping[str, Group], places: Mapping[str, Place] | None = None
) -> CloudsyncError | None:
    """Why nothing that is denied this instance is logged, with the way out; None where it is. `places` are where the
    spec says what, None where nobody has a spec."""
    name, groups = one.name, one.groups
    if not any(nic.port_security for nic in one.nics):
        return CloudsyncError(
            f"no card of instance.{name} is filtered (port_security: false): its groups deny nothing",
            "remove  port_security: false  from a card, and apply",
        )
    if any(group in known and known[group].log_denied for group in groups):
        return None
    if not groups:
        return CloudsyncError(
            f"instance.{name} is in no group: all that it sends and is sent is denied, and nothing of that is logged",
            "write  shut: {ingress: [], egress: [], log_denied: true}  into security_groups, then  "
            f"security_groups: [shut]  into instance.{name}, and apply",
        )
    listed = ", ".join(f"group.{group}" for group in groups)
    message = f"{listed} does not have" if len(groups) == 1 else f"none of {listed} has"
    return CloudsyncError(f"{message} denied packets logged", f"write  {_line(groups, places)}, and apply")


def _line(groups: Sequence[str], places: Mapping[str, Place] | None) -> str:
    """One of them is enough: not `default` if it can be helped, which holds for most instances and may be implied."""
    one = next((name for name in groups if name != "default"), groups[0])
    if places is None:
        return f"log_denied: true  into group.{one}"
    if place := places.get(f"group.{one}"):
        return f"log_denied: true  into group.{one} ({place.file}:{place.line})"
    return f"{one}: {{log_denied: true}}  into security_groups"
