"""Floating addresses as the agent's Part: routed to nowhere, answered for, and announced on the uplink.

Where they lead is the firewall's business, which comes before: what is not translated ends here.
"""

from collections.abc import Iterator
from dataclasses import field

from cloudsync.agent.links import tables
from cloudsync.agent.links.announce import Announcer
from cloudsync.agent.links.part import told
from cloudsync.agent.links.routes import floating, swallowing
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.snapshot import Drift


@dataclass(slots=True)
class Floating:
    name: str = "floating"
    needs: tuple[str, ...] = ("firewall",)
    _announcer: Announcer = field(default_factory=Announcer, repr=False)
    _announced: frozenset[str] = frozenset()

    def apply(self, document: HostDocument) -> None:
        """An address is answered for only while it is routed. Raise HostError when the kernel refuses."""
        wanted, there = swallowing(document).keys(), tables.swallowed()
        addresses, answered = floating(document).keys(), tables.answered()
        tables.add_routes(wanted - there)
        tables.answer(addresses - answered)
        tables.fall_silent(answered - addresses)
        tables.delete_routes(there - wanted)
        if there and not wanted:
            tables.delete_device()
        fresh = addresses - (self._announced & answered)
        self._announced = frozenset(addresses)
        self._announcer.announce(fresh, addresses, document.uplink)

    def drift(self, document: HostDocument) -> tuple[Drift, ...]:
        host = f"host.{document.host}"
        routes = tables.differences(swallowing(document), tables.swallowed(), host)
        return told(document, (*routes, *_answered(document, host)))

    def close(self) -> None:
        """The kernel goes on answering."""
        self._announcer.close()


def _answered(document: HostDocument, host: str) -> Iterator[tuple[str, str]]:
    wanted, there = floating(document), tables.answered()
    for address in sorted(wanted.keys() - there):
        yield wanted[address], f"the host does not answer for its floating address {address}"
    for address in sorted(there - wanted.keys()):
        yield host, f"it answers for {address}, nobody's floating address"
