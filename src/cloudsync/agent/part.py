"""One thing the agent keeps as the document says: addresses, the firewall, dnsmasq, the metadata service."""

from typing import Protocol

from cloudsync.model.document import HostDocument
from cloudsync.model.snapshot import Drift


class Part(Protocol):
    """`apply` raises HostError; it takes effect whole or not at all, and repeating it changes nothing.

    `needs` names the parts without which this one must not be brought into force.
    """

    name: str
    needs: tuple[str, ...]

    def apply(self, document: HostDocument) -> None: ...

    def drift(self, document: HostDocument) -> tuple[Drift, ...]:
        """Where the kernel or the process differs from what `document` asks for; empty when in step."""

    def close(self) -> None:
        """Let go of it: what guests use goes on (rules, addresses, processes), and the next agent takes it over."""
