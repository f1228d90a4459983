"""Routing and forwarding as the agent's Part. It comes after the firewall: a host without its table never forwards.

Taps are libvirt's; what was flushed of their addresses and routes is given back.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cloudsync.agent.links import netlink, sysctl
from cloudsync.agent.links.guard import Guard, guards
from cloudsync.agent.links.interface import lack
from cloudsync.agent.links.tap import taps
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import Drift


@dataclass(slots=True)
class Links:
    """`firewall_loaded` says whether our tables are in the kernel (`Firewall.loaded`)."""

    firewall_loaded: Callable[[], bool]
    name: str = "links"
    needs: tuple[str, ...] = ("firewall",)

    def apply(self, document: HostDocument) -> None:
        """Guards in, then settings, then guards of networks that went out, then taps.

        Raise HostError when the kernel refuses.
        """
        wanted, there = guards(document), netlink.present()
        netlink.add(wanted - set(there))
        if not self.firewall_loaded():
            raise HostError(
                "forwarding stays off: the firewall's table is not loaded", "apply again; `nft list tables` shows it"
            )
        for name, value in sysctl.wrong().items():
            sysctl.put(name, value)
        netlink.delete(_too_many(there, wanted))
        wanted_taps = taps(document)
        for tap in lack(wanted_taps, netlink.bears).addresses:
            netlink.give_address(tap)
        for tap in lack(wanted_taps, netlink.bears).routes:
            netlink.give_route(tap)

    def drift(self, document: HostDocument) -> tuple[Drift, ...]:
        wanted, there = guards(document), netlink.present()
        missing = [f"the guard `ip rule add {guard}` is missing" for guard in sorted(wanted - set(there))]
        foreign = [f"the guard `ip rule … {guard}` is not wanted" for guard in sorted(set(_too_many(there, wanted)))]
        settings = [f"{name.replace('/', '.')} is not {value}" for name, value in sysctl.wrong().items()]
        found = [(f"host.{document.host}", message) for message in (*missing, *foreign, *settings)]
        found += lack(taps(document), netlink.bears).messages()
        return tuple(Drift(address=address, host=document.host, message=message) for address, message in found)

    def close(self) -> None:
        """Nothing: traffic goes on without the agent."""


def _too_many(there: dict[Guard, int], wanted: frozenset[Guard]) -> list[Guard]:
    return [guard for guard, count in there.items() for _ in range(count - (guard in wanted))]
