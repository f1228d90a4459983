"""Routing and forwarding as the agent's Parts: `Guards` before the firewall, `Links` after it.

Guards only close, so they come first; a host without its table never forwards, so the rest comes after. Taps are
libvirt's; what was flushed of their addresses and routes is given back, and one that was set down is set up.
"""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Network

from cloudsync.agent.links import netlink, sysctl, tables
from cloudsync.agent.links.guard import Guard, guards
from cloudsync.agent.links.interface import lack
from cloudsync.agent.links.routes import closing
from cloudsync.agent.links.tap import taps
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import Drift


@dataclass(slots=True)
class Guards:
    name: str = "guards"
    needs: tuple[str, ...] = ()

    def apply(self, document: HostDocument) -> None:
        """Those that are missing; `Links` takes away those of networks that went.

        Raise HostError when the kernel refuses, and, with nothing changed, for a network that would cut off the host.
        """
        missing = guards(document) - set(netlink.present())
        if missing:
            _spare_the_host(document, {guard.subnet for guard in missing})
        netlink.add(missing)

    def drift(self, document: HostDocument) -> tuple[Drift, ...]:
        wanted, there = guards(document), netlink.present()
        missing = [f"the guard `ip rule add {guard}` is missing" for guard in sorted(wanted - set(there))]
        foreign = [f"the guard `ip rule … {guard}` is not wanted" for guard in sorted(set(_too_many(there, wanted)))]
        return told(document, ((f"host.{document.host}", message) for message in (*missing, *foreign)))

    def close(self) -> None:
        """Nothing: they hold without the agent."""


def _spare_the_host(document: HostDocument, subnets: set[str]) -> None:
    occupied = netlink.occupied()
    for name, network in document.networks.items():
        subnet = IPv4Network(network.subnet)
        for taken in occupied if network.subnet in subnets else ():
            if subnet.overlaps(IPv4Network(taken.subnet)):
                raise HostError(
                    f"network.{name}: its subnet {subnet} overlaps {taken.subnet}, which this host has on "
                    f"{taken.device}",
                    "take a subnet that is used nowhere else",
                )


@dataclass(slots=True)
class Links:
    """`firewall_loaded` says whether our tables are in the kernel (`Firewall.loaded`)."""

    firewall_loaded: Callable[[], bool]
    name: str = "links"
    needs: tuple[str, ...] = ("firewall",)

    def apply(self, document: HostDocument) -> None:
        """Settings and routes, then what networks that went out have left, then taps.

        Raise HostError when the kernel refuses.
        """
        if not self.firewall_loaded():
            raise HostError(
                "forwarding stays off: the firewall's table is not loaded", "apply again; `nft list tables` shows it"
            )
        for name, value in sysctl.wrong().items():
            sysctl.put(name, value)
        wanted, there = closing(document), tables.unreachable()
        tables.add_routes(wanted.keys() - there)
        tables.delete_routes(there - wanted.keys())
        netlink.delete(_too_many(netlink.present(), guards(document)))
        lacking = lack(taps(document), netlink.bears)
        if lacking.down:
            for tap in lacking.down:
                netlink.set_up(tap)
            lacking = lack(taps(document), netlink.bears)
        for tap in lacking.addresses:
            netlink.give_address(tap)
        for tap in lacking.routes:
            netlink.give_route(tap)

    def drift(self, document: HostDocument) -> tuple[Drift, ...]:
        host = f"host.{document.host}"
        settings = ((host, f"{name.replace('/', '.')} is not {value}") for name, value in sysctl.wrong().items())
        routes = tables.differences(closing(document), tables.unreachable(), host)
        return told(document, (*settings, *routes, *lack(taps(document), netlink.bears).messages()))

    def close(self) -> None:
        """Nothing: traffic goes on without the agent."""


def told(document: HostDocument, found: Iterable[tuple[str, str]]) -> tuple[Drift, ...]:
    """(KIND.NAME, message) as drift of this host."""
    return tuple(Drift(address=address, host=document.host, message=message) for address, message in found)


def _too_many(there: dict[Guard, int], wanted: frozenset[Guard]) -> list[Guard]:
    return [guard for guard, count in there.items() for _ in range(count - (guard in wanted))]
