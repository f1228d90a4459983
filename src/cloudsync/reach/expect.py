"""Expectations of the spec against a scene: which hold, and of those that do not, who breaks them and by which rule.

`validate` asks before addresses are decided, the planner after.
"""

from collections.abc import Iterator
from dataclasses import replace

from cloudsync.model.cloud import Cloud, Expectation
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Checked
from cloudsync.model.problem import CloudsyncError
from cloudsync.reach.encounter import Encounter, encounters
from cloudsync.reach.ends import Party, Sort, end
from cloudsync.reach.explain import because, cite
from cloudsync.reach.kinds import Kinds
from cloudsync.reach.scene import Scene
from cloudsync.reach.service import Service, covered
from cloudsync.reach.verdict import Outcome, Verdict


def words(one: Expectation) -> str:
    """`deny internet → group.db tcp/22`."""
    what = "" if one.protocol == "any" else f" {asked(one)}"
    return f"{'allow' if one.allow else 'deny'} {one.source} → {one.target}{what}"


def asked(one: Expectation) -> Service:
    return Service(one.protocol, None if one.port is None else (one.port, one.port))


def check(cloud: Cloud, scene: Scene, decided: bool = True) -> tuple[Checked, ...]:
    """In the order of the spec. Unless `decided`, what depends on an address breaks nothing yet."""
    if not cloud.expectations:
        return ()
    asks = _Asks(cloud, scene, Kinds(scene), decided)
    return tuple(asks.checked(one) for one in cloud.expectations)


@dataclass(frozen=True, slots=True)
class _Asks:
    cloud: Cloud
    scene: Scene
    kinds: Kinds
    decided: bool

    def checked(self, wanted: Expectation) -> Checked:
        place = self.cloud.places.get(wanted.key)
        try:
            broken = next(self._broken(wanted), None)
        except CloudsyncError as error:
            return Checked(expectation=wanted, holds=False, because=error.message, place=place)
        if broken is None:
            return Checked(expectation=wanted, holds=True, place=place)
        here, there, met, outcome = broken
        one, other = replace(here, label=met.source), replace(there, label=met.target)
        said = because(self.scene, one, other, met, outcome)
        return Checked(
            expectation=wanted,
            holds=False,
            because=f"{met.source} → {met.target} {outcome.service} is {_named(outcome)}: {said}",
            rule=cite(self.cloud, outcome),
            place=place,
        )

    def _broken(self, wanted: Expectation) -> Iterator[tuple[Party, Party, Encounter, Outcome]]:
        for here, there in self._couples(wanted):
            for met in encounters(self.scene, here, there, asked(wanted)):
                outcome = self._breaks(met, wanted)
                if outcome:
                    yield here, there, met, outcome

    def _breaks(self, met: Encounter, wanted: Expectation) -> Outcome | None:
        """The outcome that is not as it should be. Who has an address is not known before addresses are decided."""
        if not self.decided and met.nobody:
            return None
        tolerated = () if self.decided else (Verdict.DEPENDS,)
        if not wanted.allow:
            found = (one for one in met.outcomes if one.verdict is not Verdict.DENIED)
            return next((one for one in found if one.verdict not in tolerated), None)
        good = [one.service for one in met.outcomes if one.verdict in (Verdict.ALLOWED, *tolerated)]
        if covered(asked(wanted), good):
            return None
        bad = (one for one in met.outcomes if one.verdict is not Verdict.ALLOWED)
        return next(bad, replace(met.outcomes[0], why=f"no more than {', '.join(map(str, good))} is"))

    def _couples(self, wanted: Expectation) -> Iterator[tuple[Party, Party]]:
        """One pair for all that rules do not tell apart."""
        here, there = (end(word, self.cloud, self.scene).parties for word in (wanted.source, wanted.target))
        if here and there and not any(party.sort is Sort.INSTANCE for party in (*here, *there)):
            raise CloudsyncError("neither end is an instance: no rule of this cloud is about them")
        alone = len(here) == len(there) == 1
        placed = any(party.sort is Sort.HOST for party in (*here, *there))
        for ones in self._alike(here, placed):
            for others in self._alike(there, placed):
                pairs = ((one, other) for one in ones[:2] for other in others[:2])
                couple = next(((one, other) for one, other in pairs if alone or one.label != other.label), None)
                if couple:
                    yield couple

    def _alike(self, parties: tuple[Party, ...], placed: bool) -> list[list[Party]]:
        found: dict[object, list[Party]] = {}
        for party in parties:
            kind = self.kinds.all_of(party.ports, placed)
            found.setdefault((kind, party.unsure) if kind else party.label, []).append(party)
        return list(found.values())


def _named(outcome: Outcome) -> str:
    return "neither allowed nor denied yet" if outcome.verdict is Verdict.DEPENDS else outcome.verdict.value
