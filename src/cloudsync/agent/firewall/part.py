"""The firewall as the agent's Part: a document into the kernel's tables, and what in the kernel is no longer so."""

import threading
from dataclasses import dataclass, field

from cloudsync.agent.firewall import conntrack, genid, nft
from cloudsync.agent.firewall.compare import differences
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.delta import delta
from cloudsync.agent.firewall.eviction import doomed
from cloudsync.agent.firewall.ruleset import Ruleset
from cloudsync.agent.firewall.trace import rulings
from cloudsync.agent.firewall.withdrawal import withdraws
from cloudsync.agent.links.netlink import local_addresses
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.ruling import Ruling
from cloudsync.model.snapshot import Drift
from cloudsync.reach.question import Question
from cloudsync.reach.recorded import of_document


@dataclass(slots=True)
class Firewall:
    """`metadata_port` is where the metadata service listens. Calls may come from several threads."""

    metadata_port: int = 8775
    name: str = "firewall"
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _known: tuple[int, Ruleset] | None = field(default=None, repr=False)
    _swept: bool = field(default=False, repr=False)

    def apply(self, document: HostDocument) -> None:
        """One transaction from what the kernel holds to what `document` says; then the flows it denies are cut.

        Raise HostError with the kernel unchanged, or, when only the cutting failed, with the new rules in force; the
        next apply cuts again.
        """
        wanted = compile_document(document, self.metadata_port)
        with self._lock:
            found = self._read()
            self._swept = self._swept and not withdraws(found, wanted)
            self._commit(found, wanted)
            if not self._swept:
                self._sweep(document, _addresses(found) - _addresses(wanted))
                self._swept = True

    def drift(self, document: HostDocument) -> tuple[Drift, ...]:
        wanted = compile_document(document, self.metadata_port)
        with self._lock:
            found = self._read()
        return tuple(
            Drift(address=one.address, host=document.host, message=one.message) for one in differences(wanted, found)
        )

    def rulings(self, document: HostDocument, asked: Question) -> tuple[Ruling, ...]:
        """What the kernel's rules, as they are now, do with packets; counters are never from memory."""
        with self._lock:
            found = nft.read()
        return rulings(found, document, asked, local_addresses())

    def close(self) -> None:
        """Nothing: the rules outlive the agent."""

    def loaded(self) -> bool:
        """Whether our tables are in the kernel: only then may it forward."""
        with self._lock:
            return len(self._read().tables) == 2

    def _read(self) -> Ruleset:
        """The kernel's; from memory while nobody has committed anything since it was read."""
        before = genid.generation()
        if self._known and before is not None and self._known[0] == before:
            return self._known[1]
        found = nft.read()
        self._known = (before, found) if before is not None else None
        return found

    def _commit(self, found: Ruleset, wanted: Ruleset) -> None:
        script = delta(found, wanted)
        if not script:
            return
        try:
            nft.commit(script)
        except HostError:
            self._known = None
            nft.commit(delta(self._read(), wanted, rewrite=True))

    def _sweep(self, document: HostDocument, gone: frozenset[str]) -> None:
        flows = conntrack.entries()
        conntrack.delete(doomed(flows, of_document(document), gone, local_addresses()))


def _addresses(ruleset: Ruleset) -> frozenset[str]:
    """Instances' addresses that a ruleset lets speak."""
    inet = ruleset.tables.get("inet")
    sources = inet.containers.get("port_src4") if inet else None
    return frozenset(key.split(" . ")[-1] for key in sources.elements) if sources else frozenset()
