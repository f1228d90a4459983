"""Which running flows a document no longer permits (pure); the firewall deletes them after its rules are in."""

from collections.abc import Iterable, Iterator, Mapping, Set

from cloudsync.agent.firewall.ctnetlink import Entry
from cloudsync.reach.scene import Scene
from cloudsync.reach.service import of_packet


def doomed(entries: Iterable[Entry], scene: Scene, gone: frozenset[str], host: frozenset[str]) -> Iterator[Entry]:
    """Flows of addresses in `gone`, and flows that `scene` denies, except those that end at the host itself: they
    are not forwarded, and no security group is about them. `host` are the host's own addresses."""
    for entry in entries:
        if entry.addresses & gone or not (_ends_here(entry, host) or _permitted(entry, scene)):
            yield entry


def misled(entries: Iterable[Entry], known: Set[str], now: Mapping[str, str]) -> Iterator[Entry]:
    """Flows by a floating address of those `known` to or from another instance than the one that it leads to `now`.

    Translation is decided by a flow's first packet and kept for its life.
    """
    for entry in entries:
        comes = entry.target in known and now.get(entry.target) != entry.reply_source
        leaves = entry.reply_target in known and now.get(entry.reply_target) != entry.source
        if comes or leaves:
            yield entry


def _ends_here(entry: Entry, host: frozenset[str]) -> bool:
    """The target is asked after NAT: a masqueraded flow only looks as if it came back to the host."""
    return entry.source in host or entry.reply_source in host


def _permitted(entry: Entry, scene: Scene) -> bool:
    icmp = entry.icmp and (entry.icmp[0], entry.icmp[1])
    return scene.permits(entry.source, entry.reply_source, of_packet(entry.protocol, entry.reply_port, icmp))
