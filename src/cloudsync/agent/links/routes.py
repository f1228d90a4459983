"""The routes of ours that a document asks for, and the floating addresses the host answers for (pure).

A subnet is unreachable but for the guests that are plugged in: packets to one that is off must not leave by the uplink.
Linux answers ARP for a proxied address only when its route leaves by another device than the question came in by. So
floating addresses are routed to a bridge without ports; what is not translated before routing ends there. None is an
address of the host: its own services would answer there as soon as the translation is gone.
"""

from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument

DEVICE = "cs-floating"


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """One route of table main; `device` is empty where packets end with an ICMP error."""

    destination: str
    device: str = ""

    def __str__(self) -> str:
        return f"{self.destination} dev {self.device}" if self.device else f"unreachable {self.destination}"


def closing(document: HostDocument) -> dict[Route, str]:
    """One for each subnet, with the network it is for."""
    return {Route(network.subnet): f"network.{name}" for name, network in document.networks.items()}


def swallowing(document: HostDocument) -> dict[Route, str]:
    """One for each floating address, with the instance that has it."""
    return {Route(f"{address}/32", DEVICE): owner for address, owner in floating(document).items()}


def floating(document: HostDocument) -> dict[str, str]:
    """The floating addresses of this host, each with the instance it leads to."""
    instances = document.instances.values()
    return {address: f"instance.{one.name}" for one in instances for address in one.floating}
