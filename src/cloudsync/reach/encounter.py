"""Two parties -> who meets whom, and what comes of it: by what is built into every host, else by rules.

An end outside falls into pieces that rules tell apart, so one pair of parties may be several encounters.
"""

from collections.abc import Iterator
from dataclasses import replace

from cloudsync.model.dataclass import dataclass
from cloudsync.reach.ends import Party, Sort
from cloudsync.reach.judge import Judgement, Passage, Side, judge
from cloudsync.reach.outside import holes, pieces
from cloudsync.reach.own import UNFILTERED, sent, unfiltered
from cloudsync.reach.scene import Scene
from cloudsync.reach.service import ANY, Service
from cloudsync.reach.spot import Spot
from cloudsync.reach.verdict import Outcome, Verdict, outcomes

# A guest's questions to its host, whatever its groups say: DHCP, names, ping.
OFFERED = (
    Service("udp", (67, 67)),
    Service("udp", (53, 53)),
    Service("tcp", (53, 53)),
    Service("icmp", None, (8, None)),
)
METADATA_HTTP = Service("tcp", (80, 80))
_HOST = "a host answers its guests DHCP, DNS and ping of the gateway, whatever their groups say, and nothing else"
_METADATA = "the metadata service answers every guest, whatever its groups say, and nothing else is there"
_NOBODY = "no instance is known to have this address: name the instance, or ask the hosts with --live"
_NOWHERE = "a host forwards nothing to or from this address, whatever groups say"
_FIXED = {
    (Sort.INSTANCE, Sort.GATEWAY): (OFFERED, _HOST),
    (Sort.INSTANCE, Sort.METADATA): ((METADATA_HTTP,), _METADATA),
    (Sort.INSTANCE, Sort.HOST): ((), "no guest reaches a host's own address, whatever its groups say"),
    (Sort.INSTANCE, Sort.NOBODY): ((), _NOBODY),
    (Sort.NOBODY, Sort.INSTANCE): ((), _NOBODY),
    (Sort.INSTANCE, Sort.NOWHERE): ((), _NOWHERE),
    (Sort.NOWHERE, Sort.INSTANCE): ((), _NOWHERE),
    (Sort.METADATA, Sort.INSTANCE): ((), "the metadata service answers, and asks nothing"),
    (Sort.GATEWAY, Sort.INSTANCE): ((ANY,), UNFILTERED),
}


@dataclass(frozen=True, slots=True)
class Encounter:
    """`source` and `target` are what the two are called here; `judgement` is None where no rule was asked. `nobody`:
    one of them is an address of the cloud that no instance is known to have."""

    source: str
    target: str
    outcomes: tuple[Outcome, ...]
    judgement: Judgement | None = None
    nobody: bool = False


def encounters(scene: Scene, here: Party, there: Party, asked: Service) -> Iterator[Encounter]:
    """Nothing for two that are both outside: their packets are none of ours."""
    fixed = built_in(here, there)
    if fixed:
        services, why = fixed
        if here.sort is Sort.GATEWAY:
            yield Encounter(here.label, there.label, (unfiltered(asked),))
            return
        passages = tuple(Passage(part, None, None, True) for one in services if (part := one.meet(asked)))
        told = outcomes(Judgement(passages, (), ()), asked, here.unsure or there.unsure)
        nobody = Sort.NOBODY in (here.sort, there.sort)
        yield Encounter(here.label, there.label, tuple(replace(one, why=why) for one in told), nobody=nobody)
    elif here.sort is Sort.INSTANCE and there.sort is Sort.INSTANCE:
        yield _between(here, there, _sides(here), _sides(there), asked)
    elif here.sort is Sort.INSTANCE:
        for label, spot in apart(scene, there, here):
            met = _between(here, _called(there, label), _sides(here), (Side(spot),), asked, scene.untracked)
            yield _confined(met, asked) if scene.confined(asked, spot) else met
    elif there.sort is Sort.INSTANCE:
        for label, spot in apart(scene, here, there):
            met = _between(_called(here, label), there, (Side(spot),), _sides(there), asked)
            yield _of_host(scene, scene.hosts[label], there, met, asked) if label in scene.hosts else met


def built_in(here: Party, there: Party) -> tuple[tuple[Service, ...], str] | None:
    """What may pass whatever the rules say, and why; None where rules decide."""
    for party in (here, there):
        if party.sort is Sort.INSTANCE and not party.ports:
            return (), f"{party.label} is not on any host yet"
    if here.sort is Sort.INSTANCE and here.label == there.label and not there.floating:
        return (ANY,), "what an instance sends to itself never leaves it"
    return _FIXED.get((here.sort, there.sort))


def _sides(party: Party) -> tuple[Side, ...]:
    return tuple(Side(port.spot, port) for port in party.ports)


def _called(party: Party, label: str) -> Party:
    return Party(label, party.sort, unsure=party.unsure)


def apart(scene: Scene, outside: Party, inside: Party) -> Iterator[tuple[str, Spot]]:
    """The pieces, under their names and each with an address of it, that an instance's laws tell apart."""
    if outside.spot:
        yield outside.label, outside.spot
        return
    asked = [law for port in inside.ports for law in (*port.egress, *port.ingress)]
    yield from pieces(outside.region, outside.label, holes(scene), asked)


def _between(
    here: Party,
    there: Party,
    sources: tuple[Side, ...],
    targets: tuple[Side, ...],
    asked: Service,
    confined: frozenset[str] = frozenset(),
) -> Encounter:
    """Packets of the protocols `confined` do not get there."""
    found = judge(sources, targets, asked)
    if confined:
        kept = (one for one in found.passages if one.service.protocol not in confined)
        found = replace(found, passages=tuple(kept))
    return Encounter(here.label, there.label, outcomes(found, asked, here.unsure or there.unsure), found)


def _of_host(scene: Scene, name: str, there: Party, met: Encounter, asked: Service) -> Encounter:
    places = {port.host for port in there.ports}
    return replace(met, outcomes=sent(scene, name, places, asked, met.outcomes))


def _confined(met: Encounter, asked: Service) -> Encounter:
    why = f"{asked.protocol} does not leave the cloud, whatever groups say: it is not tracked, so nothing translates it"
    return replace(met, outcomes=(Outcome(asked, Verdict.DENIED, why=why),))
