"""The firewall as the agent's Part: a document into the kernel's tables, and what in the kernel is no longer so."""

import threading
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import field

from cloudsync.agent.ahead import Preparation, ahead
from cloudsync.agent.firewall import conntrack, genid, nft, spoken
from cloudsync.agent.firewall.compare import differences
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.delta import delta
from cloudsync.agent.firewall.departure import departed
from cloudsync.agent.firewall.eviction import doomed, misled
from cloudsync.agent.firewall.ruleset import Ruleset
from cloudsync.agent.firewall.shut import shut
from cloudsync.agent.firewall.trace import rulings
from cloudsync.agent.firewall.withdrawal import Suspects, both, suspects, vacated
from cloudsync.agent.links.netlink import local_addresses
from cloudsync.agent.memo import Memo
from cloudsync.agent.news import unheard
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.ruling import Ruling
from cloudsync.model.snapshot import Drift
from cloudsync.reach.question import Question
from cloudsync.reach.recorded import of_document

_LONG = 1 << 16
"""Characters of a script whose commit the kernel would tell in thousands of messages."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the kernel holds while its generation is this. `read` from it, or as it must be after our own commit."""

    generation: int
    ruleset: Ruleset
    read: bool


@dataclass(frozen=True, slots=True)
class _Judged:
    """How a document compared to the kernel at a generation."""

    generation: int
    document: HostDocument
    drift: tuple[Drift, ...]


@dataclass(slots=True)
class Firewall:
    """`metadata_port` is where the metadata service listens; `others` prepare for a document while nft is busy. Calls
    may come from several threads."""

    metadata_port: int = 8775
    others: tuple[Preparation, ...] = ()
    name: str = "firewall"
    needs: tuple[str, ...] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _memo: Memo = field(default_factory=Memo, repr=False)
    _known: _Known | None = field(default=None, repr=False)
    _judged: _Judged | None = field(default=None, repr=False)
    _unswept: Suspects = field(default=None, repr=False)
    _last: HostDocument | None = field(default=None, repr=False)
    _floated: frozenset[str] = frozenset()

    def apply(self, document: HostDocument) -> None:
        """One transaction from what the kernel holds to what `document` says; then the flows it denies are cut.

        Raise HostError with the kernel unchanged, or, when only the cutting failed, with the new rules in force; the
        next apply cuts again. Where no rules of ours are, guests are shut off before it is raised.
        """
        with self._lock:
            try:
                self._apply(document)
            except HostError:
                with suppress(HostError):
                    self._shut_unless_whole()
                raise

    def _shut_unless_whole(self) -> None:
        if not _whole(self._found()):
            self._known = None
            shut()

    def _apply(self, document: HostDocument) -> None:
        wanted = self._compiled(document)
        _spare_the_host(wanted)
        found = self._found()
        left = departed(self._last, document) if self._last else {}
        gone = frozenset(address for address, lost in left.items() if lost)
        now = suspects(found, wanted, left.keys() if self._last else None)
        self._unswept = both(self._unswept, both(now, gone))
        self._commit(document, found, wanted)
        self._sweep(document, found, wanted, gone)
        self._last = document

    def drift(self, document: HostDocument) -> tuple[Drift, ...]:
        """Judged by what is read from the kernel, once for each generation: our own commits too are read back."""
        with self._lock:
            judged = self._judged
            if judged and judged.document is document and judged.generation == genid.generation():
                return judged.drift
            wanted = self._compiled(document)
            found = wanted if self._holds(wanted) else self._found(read=True)
            drift = tuple(spoken.drift(one, document) for one in differences(wanted, found))
            if self._known:
                self._judged = _Judged(self._known.generation, document, drift)
                self._known = _Known(self._known.generation, found if drift else wanted, read=True)
            return drift

    def rulings(self, document: HostDocument, asked: Question) -> tuple[Ruling, ...]:
        """What the kernel's rules, as they are now, do with packets; counters are never from memory."""
        with self._lock:
            found, ours = nft.read(), self._compiled(document)
        return rulings(found, document, asked, local_addresses(), ours)

    def close(self) -> None:
        """Nothing: the rules outlive the agent."""

    def loaded(self) -> bool:
        """Whether our rules are in the kernel: only then may it forward."""
        with self._lock:
            return _whole(self._found())

    def _compiled(self, document: HostDocument) -> Ruleset:
        self._memo.turn()
        return compile_document(document, self.metadata_port, self._memo)

    def _holds(self, wanted: Ruleset) -> bool:
        """By a quick look, which is believed only where it finds nothing wrong. False where all is known already."""
        known = self._known
        if known and known.read and known.generation == genid.generation():
            return False
        found = nft.glance()
        if found is None or found[1] != wanted:
            return False
        self._known = _Known(found[0], wanted, read=True)
        return True

    def _found(self, read: bool = False) -> Ruleset:
        """What the kernel holds; from memory while nobody else has committed anything. `read` takes no word for it."""
        before = genid.generation()
        known = self._known
        if known and known.generation == before and (known.read or not read):
            return known.ruleset
        found = nft.read()
        self._known = _Known(before, found, read=True) if before is not None else None
        return found

    def _commit(self, document: HostDocument, found: Ruleset, wanted: Ruleset) -> None:
        """A commit of ours that moved the generation by one was the only one: the kernel holds what was wanted."""
        script = delta(found, wanted)
        if not script:
            return
        known, self._known = self._known, None
        try:
            with unheard() if len(script) > _LONG else nullcontext():
                nft.commit(script, lambda: ahead(self.others, document))
        except HostError:
            nft.commit(delta(self._found(), wanted, rewrite=True))
            self._known = None
        else:
            after = genid.generation()
            if known and after == known.generation + 1:
                self._known = _Known(after, wanted, read=False)

    def _sweep(self, document: HostDocument, found: Ruleset, wanted: Ruleset, gone: frozenset[str]) -> None:
        """Of a fresh agent's table everything: the one before may have died between its rules and its sweep."""
        now = _floating(wanted)
        self._floated |= _floating(found).keys() | now.keys()
        if self._unswept is None or self._unswept:
            flows = conntrack.entries(self._unswept)
            if flows:
                denied = doomed(flows, of_document(document), vacated(found, wanted) | gone, local_addresses())
                conntrack.delete(dict.fromkeys((*denied, *misled(flows, self._floated, now))))
            self._unswept = frozenset()
        self._floated = frozenset(now)


def _whole(ruleset: Ruleset) -> bool:
    """Both tables, switched on, and rules in the chains that every guest's packets pass."""
    there = ruleset.tables.keys() == {"inet", "arp"} and not any(table.flagged for table in ruleset.tables.values())
    chains = ruleset.tables["inet"].chains if there else {}
    return all(name in chains and chains[name].rules for name in ("prerouting_raw", "forward_from", "forward_to"))


def _spare_the_host(ruleset: Ruleset) -> None:
    """Translating an address of the host itself would take the host off the net: HostError instead."""
    floating = _floating(ruleset)
    for address in sorted(floating.keys() & local_addresses() if floating else ()):
        owner = ruleset.owners.get(address, "host.?")
        raise HostError(f"{owner}: its floating address {address} is this host's own", "take another one")


def _floating(ruleset: Ruleset) -> Mapping[str, str]:
    """Floating addresses, each with the instance's that it leads to."""
    inet = ruleset.tables.get("inet")
    translated = inet.containers.get("fip_in4") if inet else None
    return translated.elements if translated else {}
