"""What the taps of a host's instances must bear: document -> taps (pure).

libvirt gives each its address when it makes it, and the kernel the route that goes with it; both can be flushed.
"""

from collections.abc import Iterable

from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument


@dataclass(frozen=True, slots=True, order=True)
class Tap:
    """One network card: `gateway`/32 with peer `address`, and the route to `address`. `owner` is KIND.NAME."""

    name: str
    gateway: str
    address: str
    owner: str


@dataclass(frozen=True, slots=True)
class Lack:
    """Taps without their address, taps that have it, but not the route, and taps that were set down."""

    addresses: tuple[Tap, ...] = ()
    routes: tuple[Tap, ...] = ()
    down: tuple[Tap, ...] = ()

    def messages(self) -> Iterable[tuple[str, str]]:
        """(owner, what is missing)."""
        for tap in self.addresses:
            yield tap.owner, f"the address {tap.gateway} peer {tap.address} of {tap.name} is missing"
        for tap in self.routes:
            yield tap.owner, f"the route to {tap.address} by {tap.name} is missing"
        for tap in self.down:
            yield tap.owner, f"the network card of {tap.address} is switched off: {tap.name} is down"


def taps(document: HostDocument) -> tuple[Tap, ...]:
    """Of the instances of this host. libvirt alone gives the address to a tap whose machine is just coming here."""
    return tuple(
        Tap(nic.tap, document.networks[nic.network].gateway, nic.address, f"instance.{name}")
        for name, instance in sorted(document.instances.items())
        if (entry := document.directory.get(name)) is None or entry.host == document.host
        for nic in instance.nics
        if nic.network in document.networks
    )
