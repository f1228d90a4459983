"""The way to instances on other hosts as the agent's Part: routes by their hosts' addresses, or through a tunnel.

It comes after the firewall, which lets in from other hosts only what those routes lead back to.
"""

from collections.abc import Iterator

from cloudsync.agent.links import vxlan, ways
from cloudsync.agent.links.part import told
from cloudsync.agent.links.remote import DEVICE, Way, others, peers, tunnel
from cloudsync.agent.links.remote import ways as wanted_ways
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import Drift


@dataclass(slots=True)
class Fabric:
    name: str = "fabric"
    needs: tuple[str, ...] = ("firewall",)

    def apply(self, document: HostDocument) -> None:
        """What is new before what is old goes. Raise HostError when the kernel refuses, or a host cannot be reached."""
        end, known = tunnel(document), peers(document)
        if document.fabric == "vxlan" and end is None and wanted_ways(document):
            raise HostError(
                f"host.{document.host} has no address by which other hosts reach it", "give it one in the spec"
            )
        if end:
            vxlan.make(end)
            vxlan.forget(vxlan.half() | (vxlan.known() - known))
            vxlan.learn(known - vxlan.known())
        wanted, there = wanted_ways(document).keys(), ways.present()
        ways.add(wanted - there, source=end.address if end else "")
        ways.delete(there - wanted)
        if end is None:
            vxlan.delete()

    def drift(self, document: HostDocument) -> tuple[Drift, ...]:
        return told(document, (*_tunnel(document), *_routes(document)))

    def close(self) -> None:
        """Nothing: packets go on without the agent."""


def _tunnel(document: HostDocument) -> Iterator[tuple[str, str]]:
    end, host = tunnel(document), f"host.{document.host}"
    if end is None:
        if ways.index():
            yield host, f"the device {DEVICE} is not wanted"
        return
    if problem := vxlan.wrong(end):
        yield host, problem
        return
    wanted, there, names = peers(document), vxlan.known(), others(document)
    for peer in sorted(wanted - there):
        yield host, f"{DEVICE} does not know the way to host.{names[peer.address]} ({peer.address})"
    for peer in sorted(vxlan.half() | there - wanted):
        if peer not in wanted:
            yield host, f"{DEVICE} sends to {peer.address} ({peer.mac}), which is not wanted"


def _routes(document: HostDocument) -> Iterator[tuple[str, str]]:
    wanted, there = wanted_ways(document), ways.present()
    leads = {way.destination: way for way in there - wanted.keys()}
    missing = sorted(wanted.keys() - there)
    for way in missing:
        other: Way | None = leads.pop(way.destination, None)
        yield wanted[way], f"the route `{way}` is missing" + (f": there is `{other}`" if other else "")
    for way in sorted(leads.values()):
        yield f"host.{document.host}", f"the route `{way}` is not wanted"
