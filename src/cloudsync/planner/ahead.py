"""What a machine's step waits for on other hosts: that rules know its address, and that its turn has come.

Pure; called by order.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cloudsync.model.document import HostDocument
from cloudsync.model.resources import Instance
from cloudsync.planner.act import Act
from cloudsync.planner.informed import Steps, informed
from cloudsync.planner.puts import Puts, move_id
from cloudsync.planner.seen import Pair


@dataclass(frozen=True, slots=True)
class Ahead:
    """Ids of steps: `turns` by the name of an instance that moves, `knowing` by address."""

    turns: Mapping[str, tuple[str, ...]]
    knowing: Steps

    def of(self, wanted: Instance, what: Act) -> tuple[str, ...]:
        """Nobody waits to be stopped."""
        if what is Act.STOP:
            return ()
        known = (step for nic in wanted.nics for step in self.knowing.get(nic.address, ()))
        return (*self.turns.get(wanted.name, ()), *known)


def ahead(puts: Mapping[str, Puts], documents: Mapping[str, HostDocument | None], moves: tuple[Pair, ...]) -> Ahead:
    """`puts` are those of each host, `documents` what each has now."""
    first = ((host, one.prepare) for host, one in puts.items())
    told = ((put.id, documents[host], put.document) for host, put in first if put)
    return Ahead(dict(_turns(puts, moves)), informed(told))


def _turns(puts: Mapping[str, Puts], moves: tuple[Pair, ...]) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Both hosts know of the move, and all of the one before it."""
    for turn, pair in enumerate(moves):
        ready = [puts[name].prepare for name in (pair.source.name, pair.host.name)]
        known = [one.at.get(turn) for one in puts.values()] if turn else []
        before = [move_id(moves[turn - 1])] if turn else []
        yield pair.name, (*before, *(put.id for put in (*ready, *known) if put))
