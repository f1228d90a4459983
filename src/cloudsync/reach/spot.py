"""Addresses to compare: one, or one of a range while it is not decided which."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network

from cloudsync.model.dataclass import dataclass

EVERYWHERE = (0, (1 << 32) - 1)
NOWHERE = (1, 0)
LINK_LOCAL = "169.254.0.0/16"

Range = tuple[int, int]
"""First and last address as numbers; empty when the first is greater."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where packets come from or go to. `key` is the address, or, while there is none, a name for it that is none.

    It is somewhere from `first` to `last`.
    """

    key: str
    first: int
    last: int

    @property
    def decided(self) -> bool:
        return self.first == self.last

    def within(self, range_: Range) -> bool | None:
        """None when it depends on the address."""
        if range_[0] <= self.first and self.last <= range_[1]:
            return True
        return False if self.last < range_[0] or range_[1] < self.first else None


@lru_cache(maxsize=65536)
def at(address: str) -> Spot:
    """An address. Raise ValueError unless it is IPv4."""
    number = int(IPv4Address(address))
    return Spot(address, number, number)


def somewhere(key: str, subnet: str) -> Spot:
    """An address that `subnet` will give out."""
    first, last = span(subnet)
    return Spot(key, min(first + 1, last), max(last - 1, first))


@lru_cache(maxsize=4096)
def span(text: str) -> Range:
    """The range of an IPv4 address or CIDR. Raise ValueError for anything else."""
    network = IPv4Network(text)
    return int(network.network_address), int(network.broadcast_address)


def first_free(inside: Range, taken: list[Range]) -> Spot | None:
    """The first address of a range that is in none of `taken`; None when there is none."""
    candidate = inside[0]
    for first, last in sorted(taken):
        if first <= candidate <= last:
            candidate = last + 1
    return at(str(IPv4Address(candidate))) if candidate <= inside[1] else None
