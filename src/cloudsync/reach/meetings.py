"""Two ends that stand for many -> who meets whom and what comes of it, worked out once for each pair of kinds.

`ask` calls it: what is true of one network card is true of all of its kind.
"""

from dataclasses import replace

from cloudsync.reach.encounter import Encounter, encounters
from cloudsync.reach.ends import Party, Sort
from cloudsync.reach.kinds import Kinds
from cloudsync.reach.scene import Scene
from cloudsync.reach.service import Service


class Meetings:
    def __init__(self, scene: Scene, parties: tuple[Party, ...], asked: Service) -> None:
        """`parties` are all that will be asked about."""
        self._scene, self._asked = scene, asked
        placed = any(party.sort is Sort.HOST for party in parties)
        kinds = Kinds(replace(scene, ports=tuple(port for party in parties for port in party.ports)))
        self._kinds = {
            id(party): (kinds.all_of(party.ports, placed), party.unsure) if party.ports else party.label
            for party in parties
        }
        self._known: dict[object, tuple[str, str, tuple[Encounter, ...]]] = {}

    def of(self, here: Party, there: Party) -> list[Encounter]:
        """As `encounters` has it."""
        key = (self._kinds[id(here)], self._kinds[id(there)], here.label == there.label)
        if key not in self._known:
            found = tuple(encounters(self._scene, here, there, self._asked))
            self._known[key] = (here.label, there.label, found)
        one, other, found = self._known[key]
        return [
            replace(
                met,
                source=here.label if met.source == one else met.source,
                target=there.label if met.target == other else met.target,
            )
            for met in found
        ]
