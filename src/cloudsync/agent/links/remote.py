"""What lies behind the cloud's other hosts, and the way there: document -> routes and tunnel (pure).

`fabric: direct` sends a packet for an instance elsewhere to its host's address. `fabric: vxlan` sends it into a tunnel
device to a next hop of that name, which only there, in the device's own tables, has a MAC and an outer address.
"""

from hashlib import sha256

from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument

DEVICE = "cloudsync-vxlan"
"""15 characters, which is all that a device may have; taps' names begin otherwise."""
PORT = 4789
_SECOND = 1024
"""The kernel gives the routes of taps metric 0."""


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """The route to one instance elsewhere. `device` is empty where the kernel is to find it by `via`.

    A `metric` other than 0 lets the route by a tap go first.
    """

    destination: str
    via: str
    device: str = ""
    metric: int = 0

    def __str__(self) -> str:
        device = f" dev {self.device} onlink" if self.device else ""
        return f"{self.destination} via {self.via}{device}" + (f" metric {self.metric}" if self.metric else "")


@dataclass(frozen=True, slots=True, order=True)
class Peer:
    """Another host's end of the tunnel."""

    address: str
    mac: str


@dataclass(frozen=True, slots=True)
class Tunnel:
    """This host's end. `number` is the cloud's: two clouds on one underlay do not hear one another."""

    number: int
    address: str
    mac: str


def ways(document: HostDocument) -> dict[Way, str]:
    """One for each address, with the instance that has it. Whose host has no address, there is no way to.

    Of an instance that moves both hosts know the other's: it is taken while its tap is not, or no more, here.
    """
    device = DEVICE if document.fabric == "vxlan" else ""
    underlay, here, leaving = document.underlay, document.host, document.leaving
    found: dict[Way, str] = {}
    if not others(document):
        return found
    for name, entry in document.directory.items():
        there = leaving.get(name, entry.host)
        if there != here and there in underlay:
            metric = _SECOND if name in document.instances else 0
            found.update((Way(one, underlay[there], device, metric), f"instance.{name}") for one in entry.addresses)
    return found


def others(document: HostDocument) -> dict[str, str]:
    """Underlay addresses of the other hosts, each with its host."""
    return {address: name for name, address in document.underlay.items() if name != document.host}


def tunnel(document: HostDocument) -> Tunnel | None:
    """None where packets do not travel in one: `fabric: direct`, no other host, or no address of this one."""
    own = document.underlay.get(document.host)
    if document.fabric != "vxlan" or own is None or not others(document):
        return None
    return Tunnel(number(document.cloud), own, _mac(document.cloud, document.host))


def peers(document: HostDocument) -> frozenset[Peer]:
    """Empty without a tunnel."""
    if tunnel(document) is None:
        return frozenset()
    return frozenset(Peer(address, _mac(document.cloud, name)) for address, name in others(document).items())


def number(cloud: str) -> int:
    """24 bits, and not 0: others count theirs from there."""
    return 1 + int.from_bytes(sha256(f"{cloud}/vxlan".encode()).digest()[:4], "big") % 0xFFFFFF


def _mac(cloud: str, host: str) -> str:
    """Everybody works out everybody's."""
    digest = sha256(f"{cloud}/vxlan/{host}".encode()).hexdigest()
    return "02:" + ":".join(digest[at : at + 2] for at in range(0, 10, 2))
