"""What a machine's step waits for on other hosts: that rules know its address, and that its turn has come.

Pure; called by order.py.
"""

from collections.abc import Iterable, Iterator, Mapping

from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.resources import Instance
from cloudsync.planner.act import Act
from cloudsync.planner.informed import Steps, informed
from cloudsync.planner.puts import Puts
from cloudsync.planner.turns import Turns


@dataclass(frozen=True, slots=True)
class Ahead:
    """Ids of steps: `turns` by the name of an instance that moves or rolls, `knowing` by stage and address, `stages` of
    those that roll by name."""

    turns: Mapping[str, tuple[str, ...]]
    knowing: Mapping[int, Steps]
    stages: Mapping[str, int]

    def of(self, wanted: Instance, what: Act) -> tuple[str, ...]:
        """Nobody waits to be stopped."""
        if what is Act.STOP:
            return ()
        knowing = self.knowing[self.stages.get(wanted.name, 0)]
        known = (step for nic in wanted.nics for step in knowing.get(nic.address, ()))
        return (*self.turns.get(wanted.name, ()), *known)


def ahead(puts: Mapping[str, Puts], documents: Mapping[str, HostDocument | None], turns: Turns) -> Ahead:
    """`puts` are those of each host, `documents` what each has now."""
    stages = (0, *(stage for stage, _ in turns.numbered()))
    knowing = {stage: informed(_told(puts, documents, stage)) for stage in stages}
    return Ahead(dict((*_moving(puts, turns), *_rolling(turns))), knowing, turns.stages)


def _told(
    puts: Mapping[str, Puts], documents: Mapping[str, HostDocument | None], stage: int
) -> Iterator[tuple[str, HostDocument | None, HostDocument]]:
    for host, one in puts.items():
        put, before = one.at.get(stage), one.by(stage - 1)
        if put:
            yield put.id, before.document if before else documents[host], put.document


def _moving(puts: Mapping[str, Puts], turns: Turns) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Both hosts know of the move, and all of the one before it."""
    for turn, pair in enumerate(turns.moves):
        ready = [puts[name].prepare for name in (pair.source.name, pair.host.name)]
        known = [one.at.get(turn) for one in puts.values()] if turn else []
        yield pair.name, (*turns.before_move(turn), *(put.id for put in (*ready, *known) if put))


def _rolling(turns: Turns) -> Iterable[tuple[str, tuple[str, ...]]]:
    for stage, batch in turns.numbered():
        for pair in batch:
            yield pair.name, turns.opens(stage)
