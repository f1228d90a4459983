"""An outcome in words: which rule says so and where it stands, or which side refuses and what rule it would need."""

from collections.abc import Iterable, Iterator

from cloudsync.model.cited import Cited
from cloudsync.model.cloud import Cloud
from cloudsync.reach.encounter import Encounter
from cloudsync.reach.ends import Party, Sort
from cloudsync.reach.law import Law
from cloudsync.reach.scene import Scene
from cloudsync.reach.service import Service, covered, union
from cloudsync.reach.verdict import Outcome, Verdict


def cite(cloud: Cloud, outcome: Outcome) -> Cited | None:
    """The receiver's rule, else the sender's; None where none decides."""
    passage = outcome.passage
    law = (passage.into or passage.out) if passage and outcome.verdict is not Verdict.DENIED else None
    return cited(cloud, law) if law else None


def cited(cloud: Cloud, law: Law) -> Cited:
    """A rule that is implied stands where its group does."""
    place = cloud.places.get(law.place) or cloud.places.get(f"group.{law.group}")
    return Cited(address=f"group.{law.group}", file=place.file if place else None, line=place.line if place else None)


def path(cloud: Cloud, source: str, target: str, outcome: Outcome) -> tuple[str, ...]:
    """The two ends, and between them every rule that lets it pass, with its place."""
    passage = outcome.passage
    stops = (passage.out, passage.into) if passage and outcome.verdict is not Verdict.DENIED else ()
    return (source, *(_stop(cloud, law) for law in stops if law), target)


def _stop(cloud: Cloud, law: Law) -> str:
    found = cited(cloud, law)
    where = f"{found.file}:{found.line}" if found.line else "implied"
    return f"{found.address}: {law} ({where})"


def because(scene: Scene, here: Party, there: Party, met: Encounter, outcome: Outcome) -> str:
    """One sentence, or a few."""
    if outcome.why:
        return outcome.why
    if outcome.verdict is Verdict.DENIED:
        return "; ".join(_refusals(here, there, met, outcome.service))
    said = "; ".join([*_permissions(here, there, outcome), *_notes(scene, here, there)])
    vague = [party.label for party in (here, there) if any(not port.spot.decided for port in party.ports)]
    if outcome.verdict is Verdict.DEPENDS:
        return f"it depends on the address that {' and '.join(vague) or 'it'} will get; then {said}"
    return said


def _permissions(here: Party, there: Party, outcome: Outcome) -> Iterator[str]:
    passage = outcome.passage
    for party, law, verb in (
        (here, passage and passage.out, "lets out"),
        (there, passage and passage.into, "lets in"),
    ):
        if law:
            yield f"group.{law.group} {verb} {law}"
        elif party.sort is Sort.INSTANCE:
            yield f"{party.label} has port_security: false, so nothing is filtered there"


def _notes(scene: Scene, here: Party, there: Party) -> Iterator[str]:
    """What the firewall lets pass may still find no way: addresses of instances mean nothing outside."""
    if there.sort is Sort.OUTSIDE and not any(port.floating for port in here.ports):
        bare = sorted({port.network for port in here.ports if not scene.networks[port.network].nat})
        if bare and len(bare) == len({port.network for port in here.ports}):
            yield f"network.{bare[0]} has nat: false, so answers come back only where its subnet is routed to the host"
    if here.sort is Sort.OUTSIDE and not any(port.floating for port in there.ports):
        yield f"{there.label} has no floating address, so this is for those that its subnet is routed for"


def _refusals(here: Party, there: Party, met: Encounter, asked: Service) -> Iterator[str]:
    """Each side that refuses; where both would let something pass but not the same, both are told."""
    found = met.judgement
    if found is None:
        return
    sides = (("egress", here, there, found.sent), ("ingress", there, here, found.taken))
    whole = asked.single or asked.ranged
    refused = [one for one in sides if not (covered(asked, one[3]) if whole else one[3])]
    for side, party, other, _ in refused:
        yield _refusal(side, party, other, asked)
    if not refused:
        sent, taken = (", ".join(map(str, union(one[3]))) for one in sides)
        yield f"{here.label} may send {sent}, and {there.label} takes {taken}: that has nothing in common"


def _refusal(side: str, party: Party, other: Party, asked: Service) -> str:
    groups = sorted({group for port in party.ports for group in port.groups})
    what = "anything" if asked.protocol == "any" else str(asked)
    way, word = ("out to", "to") if side == "egress" else ("in from", "from")
    if not groups:
        return f"{party.label} is in no group"
    rule = ", ".join([*_fields(asked), f"{word}: {_named(other)}"])
    listed = ", ".join(f"group.{name}" for name in groups)
    need = f"it would need  {side}: [{{{rule}}}]" + ("  in one of them" if len(groups) > 1 else "")
    return f"no {side} rule of {listed} lets {what} {way} {other.label}; {need}"


def _fields(asked: Service) -> Iterable[str]:
    if asked.protocol != "any":
        yield f"protocol: {asked.protocol}"
    if asked.ports:
        first, last = asked.ports
        yield f"ports: {first}" if first == last else f"ports: {first}-{last}"
    if asked.icmp:
        kind, code = asked.icmp
        yield f"type: {kind}" + ("" if code is None else f", code: {code}")


def _named(party: Party) -> str:
    """How a rule would name it: by a group of its own where it has one."""
    if party.sort is Sort.OUTSIDE:
        return "any" if party.label == "internet" else party.label
    groups = sorted({group for port in party.ports for group in port.groups} - {"default"})
    return f"group.{groups[0]}" if groups else party.label
