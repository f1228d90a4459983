"""The rules of routing that keep a host closed when its nftables are flushed: subnets -> guards (pure).

A packet to or from an instance that our prerouting chain has not marked is prohibited. Without our table there is no
mark, so forwarding stops instead of opening. What the host itself sends or receives is looked up before that.
"""

from collections.abc import Iterable

from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument

MARK = 0x40000000
"""The bit of a packet's mark that says: our prerouting chain has seen it."""
PROTOCOL = 197
"""Ours in the kernel's routing tables: how we know our rules from others'."""
FIRST_PRIORITY = 30


@dataclass(frozen=True, slots=True, order=True)
class Guard:
    """One `ip rule`. `local` ones look packets of the host itself up in table main; the others prohibit unmarked ones.

    `outward` is about packets from `subnet`, otherwise about packets to it.
    """

    local: bool
    outward: bool
    subnet: str

    @property
    def priority(self) -> int:
        return FIRST_PRIORITY + (0 if self.local else 2) + self.outward

    def __str__(self) -> str:
        where = f"{'from' if self.outward else 'to'} {self.subnet}"
        if self.local:
            return f"{where} iif lo lookup main"
        return f"{where} fwmark 0/{MARK:#x} prohibit"


def guards(document: HostDocument) -> frozenset[Guard]:
    """Four for each network of the document."""
    return for_subnets(network.subnet for network in document.networks.values())


def for_subnets(subnets: Iterable[str]) -> frozenset[Guard]:
    return frozenset(
        Guard(local, outward, subnet) for subnet in subnets for local in (True, False) for outward in (True, False)
    )
