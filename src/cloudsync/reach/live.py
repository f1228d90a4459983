"""A question in words -> what the kernels of the hosts concerned really do, beside what the spec says.

Which addresses are meant is what the hosts have on record. The command line gives the way to ask a host.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from cloudsync.model.cloud import Cloud
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.ruling import Ruling
from cloudsync.reach.ask import Answer, Pair, couples, once, told
from cloudsync.reach.doubt import doubt
from cloudsync.reach.encounter import apart, built_in, encounters
from cloudsync.reach.ends import Party, Sort, end, party_at
from cloudsync.reach.question import Question
from cloudsync.reach.recorded import of_documents
from cloudsync.reach.ruled import Ruled, ruled
from cloudsync.reach.service import Service, parse
from cloudsync.reach.slices import joined, slices
from cloudsync.reach.verdict import Verdict
from cloudsync.reach.wanted import of_cloud

Enquire = Callable[[str, Question], tuple[Ruling, ...]]
"""A host's name and what it is asked."""
MOST = 500
_ITSELF = (Sort.GATEWAY, Sort.HOST, Sort.METADATA)
"""What a host is to its guests: built in, and yet in the kernel's rules."""
NOBODY: Mapping[str, str] = MappingProxyType({})
_RANK = (Verdict.ALLOWED, Verdict.DEPENDS, Verdict.DENIED)


def live(
    cloud: Cloud,
    documents: Mapping[str, HostDocument],
    ends: tuple[str, str],
    asked: Service,
    enquire: Enquire,
    away: Mapping[str, str] = NOBODY,
) -> Answer:
    """`documents` by host; `away` says of instances that cannot be asked about where they are.

    Raise CloudsyncError as `ask` does, and HostError for a host that does not answer.
    """
    look = _Look(cloud, documents, asked, enquire, away)
    here, there = (end(word, cloud, look.scene) for word in ends)
    found = list(couples(here, there))
    if len(found) > MOST:
        raise CloudsyncError(f"{len(found):,} pairs are too many to ask the hosts about", f"ask about at most {MOST}")
    pairs = tuple(pair for one, other in found for pair in look.pairs(one, other))
    return Answer(pairs=pairs, note="" if pairs else f"no host has anything on record for {here.word} or {there.word}")


class _Look:
    def __init__(
        self,
        cloud: Cloud,
        documents: Mapping[str, HostDocument],
        asked: Service,
        enquire: Enquire,
        away: Mapping[str, str],
    ) -> None:
        self.scene = of_documents(documents.values(), {})
        self._cloud, self._asked, self._enquire = cloud, asked, enquire
        self._away = {f"instance.{name}": where for name, where in away.items()}
        self._answering = documents.keys()
        self._home = {f"instance.{one}": host for host, found in documents.items() for one in found.instances}
        known = {name: tuple(port.spot.key for port in ports) for name, ports in self.scene.of.items()}
        homes = {label.removeprefix("instance."): host for label, host in self._home.items()}
        self._spec = of_cloud(cloud, known, homes)

    def pairs(self, here: Party, there: Party) -> Iterator[Pair]:
        """What no kernel's rules have a say in is told as the record tells it."""
        lost = [one.label for one in (here, there) if one.label in self._away and not one.ports]
        if lost:
            yield self._unknown(here, there, lost[0])
            return
        itself = (here.ports and there.sort in _ITSELF) or (there.ports and here.sort is Sort.GATEWAY)
        if built_in(here, there) and not itself:
            found = encounters(self.scene, here, there, self._asked)
            yield from told(self._cloud, self.scene, here, there, found)
            return
        pieces = [
            self._between((source, target), [(one, other) for one in starts for other in stops], (here, there))
            for source, starts in self._spots(here, there)
            for target, stops in self._spots(there, here)
        ]
        yield from once(pieces)

    def _unknown(self, here: Party, there: Party, lost: str) -> Pair:
        return Pair(
            source=here.label,
            target=there.label,
            service=self._asked,
            verdict=Verdict.DEPENDS,
            rule=None,
            because=f"unknown: {lost} is on {self._away[lost]}",
            path=(),
        )

    def _spots(self, party: Party, other: Party) -> Iterator[tuple[str, list[str]]]:
        """What it is called, and its addresses; an end outside in the pieces that recorded rules tell apart."""
        if party.sort is Sort.INSTANCE:
            yield party.label, [port.spot.key for port in party.ports]
        else:
            yield from ((label, [spot.key]) for label, spot in apart(self.scene, party, other))

    def _hosts(self, here: Party, there: Party) -> tuple[str, ...]:
        """Those that a packet passes, in order; of a host that sends one its own rules are asked about too."""
        sender = self.scene.hosts.get(here.label, "") if here.sort is Sort.HOST else ""
        homes = (self._home[one.label] for one in (here, there) if one.sort is Sort.INSTANCE)
        return tuple(dict.fromkeys(([sender] if sender in self._answering else []) + list(homes)))

    def _between(self, names: tuple[str, str], ways: list[tuple[str, str]], ends: tuple[Party, Party]) -> list[Pair]:
        """An instance reaches another when some address of the one reaches some address of the other."""
        found: dict[Service, list[Ruled]] = {}
        for source, target in ways:
            for service, rulings in self._rulings(source, target, self._hosts(*ends)).items():
                spec = self._said(source, target, parse(rulings[0].packet), ends)
                found.setdefault(service, []).append(ruled(self._cloud, service, rulings, spec))
        best = [min(one, key=lambda each: _RANK.index(each.verdict)) for one in found.values()]
        if self._asked.ranged:
            best = joined(best)
        elif not self._asked.single:
            best = _telling(best, self._asked)
        return [one.pair(*names) for one in best]

    def _rulings(self, source: str, target: str, hosts: tuple[str, ...]) -> dict[Service, tuple[Ruling, ...]]:
        """What each of the hosts says, by service: of what was asked, all that is mentioned in any one's rules."""
        services: dict[Service, None] = {self._asked: None}
        if not self._asked.single:
            for host in hosts:
                for one in self._enquire(host, Question(source, target)):
                    part = parse(one.service).meet(self._asked)
                    services.update({part: None} if part else {})
        if self._asked.ranged:
            services = dict.fromkeys(slices(self._asked, services))
        asked = Question(source, target, tuple(services))
        answers = [self._enquire(host, asked) for host in hosts]
        return dict(zip(services, zip(*answers, strict=True), strict=True))

    def _said(self, source: str, target: str, packet: Service, ends: tuple[Party, Party]) -> Verdict:
        """What the spec says of one packet between addresses of these ends."""
        here, there = party_at(source, self._spec), party_at(target, self._spec)
        met = next(encounters(self._spec, here, there, packet), None)
        said = met.outcomes[0].verdict if met else Verdict.DENIED
        return Verdict.DEPENDS if doubt(self._spec, *ends, said) else said


def _telling(found: list[Ruled], asked: Service) -> list[Ruled]:
    """What is not denied, and the exceptions from it; one denial where nothing passes. Told the same way twice, the
    narrower is left out; what the spec says otherwise never is."""
    wide = [one for one in found if one.verdict is not Verdict.DENIED]
    kept = [one for one in found if one.differs or _counts(one, wide)]
    kept.sort(key=lambda one: (one.service.protocol, one.service.ports or (0, 0), one.service.icmp or (0, 0)))
    return kept or [one for one in found if one.service == asked]


def _counts(one: Ruled, wide: Iterable[Ruled]) -> bool:
    wider = [other for other in wide if other is not one and other.service.covers(one.service)]
    if one.verdict is Verdict.DENIED:
        # No rule denies: what the spec denies of what it allows is built in, as offline.
        return any(other.differs for other in wider)
    return not any(other.verdict is one.verdict and other.stop == one.stop for other in wider)
