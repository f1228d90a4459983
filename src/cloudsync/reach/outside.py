"""Addresses outside the cloud, in as few pieces as rules tell apart: one address then speaks for its whole piece."""

from collections.abc import Iterable, Iterator

from cloudsync.reach.law import Law
from cloudsync.reach.scene import Scene
from cloudsync.reach.spot import Range, Spot, first_free, span

METADATA = "169.254.169.254"
# The kernel forwards none of these: itself, loopback, many at once, everybody on the cable.
UNROUTED = ("0.0.0.0/32", "127.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32")


def holes(*scenes: Scene) -> list[Range]:
    """What is not outside: subnets, hosts' own addresses, the metadata service, what nobody forwards."""
    found = {span(METADATA), *map(span, UNROUTED)}
    for scene in scenes:
        found.update(scene.infra)
        found.update(span(network.subnet) for network in scene.networks.values())
    return sorted(found)


def pieces(region: Range, word: str, taken: list[Range], laws: Iterable[Law]) -> Iterator[tuple[str, Spot]]:
    """Each with an address of it. First what no law mentions, under the region's own word, then by prefix."""
    inside = {law.range: law.rule.remote for law in laws if region != law.range and _within(law.range, region)}
    for piece in (region, *sorted(inside)):
        smaller = [other for other in inside if other != piece and _within(other, piece)]
        spot = first_free(piece, taken + smaller)
        if spot:
            yield (word if piece == region else inside[piece].removesuffix("/32")), spot


def _within(one: Range, other: Range) -> bool:
    return other[0] <= one[0] <= one[1] <= other[1]
