"""One thing the agent keeps as the document says: addresses, the firewall, dnsmasq, the metadata service."""

from typing import Protocol, runtime_checkable

from cloudsync.model.document import HostDocument
from cloudsync.model.ruling import Ruling
from cloudsync.model.snapshot import Drift
from cloudsync.reach.question import Question


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


@runtime_checkable
class Witness(Protocol):
    """A part that knows how guests boot."""

    def power_on(self, uuid: str) -> None:
        """This instance is about to be started: what it said of an earlier boot is over."""


@runtime_checkable
class Judge(Protocol):
    """A part that can say what becomes of a packet."""

    def rulings(self, document: HostDocument, asked: Question) -> tuple[Ruling, ...]:
        """One for each service that is asked about. Raises HostError."""
