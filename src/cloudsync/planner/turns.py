"""What is done one after the other: instances that move, one by one, then batches of those that roll.

Each host gets a document for each stage: 0 before any of it, n once n have moved, then one before each batch, and the
last when what goes has gone. Pure; rolling.py makes it, order.py and puts.py go by it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field

from cloudsync.model.dataclass import dataclass
from cloudsync.model.step import AwaitInstance
from cloudsync.planner.act import Act
from cloudsync.planner.removals import machine_id
from cloudsync.planner.seen import Pair


@dataclass(frozen=True, slots=True)
class Turns:
    """`gates`, each waiting for the one before it, are passed before any that rolls is taken down. `back` is what the
    next turn waits for, by the names of those that roll; moves that roll come after the others."""

    moves: tuple[Pair, ...] = ()
    batches: tuple[tuple[Pair, ...], ...] = ()
    gates: tuple[AwaitInstance, ...] = ()
    back: Mapping[str, AwaitInstance] = field(default_factory=dict)

    @property
    def last(self) -> int:
        return len(self.moves) + len(self.batches) + 1

    @property
    def awaits(self) -> tuple[AwaitInstance, ...]:
        return (*self.gates, *self.back.values())

    @property
    def stages(self) -> dict[str, int]:
        """At which the document has a batch's instances as they are to be, by name."""
        return {pair.name: stage for stage, batch in self.numbered() for pair in batch}

    def numbered(self) -> Iterable[tuple[int, tuple[Pair, ...]]]:
        """Batches with their stages."""
        return enumerate(self.batches, len(self.moves) + 1)

    def unmoved(self, stage: int) -> tuple[Pair, ...]:
        return self.moves[stage:]

    def rolled(self, stage: int) -> int:
        """How many batches the document of that stage has."""
        return min(max(0, stage - len(self.moves)), len(self.batches))

    def opens(self, stage: int) -> tuple[str, ...]:
        """What a batch waits for: that all before it is done, and is back."""
        at = stage - len(self.moves) - 1
        if at > 0:
            return tuple(self.back[pair.name].id for pair in self.batches[at - 1])
        return (*self._moved(len(self.moves)), *self._gate())

    def before_move(self, turn: int) -> tuple[str, ...]:
        """What the move with that index waits for."""
        return (*self._moved(turn), *(self._gate() if self.moves[turn].name in self.back else ()))

    def _moved(self, count: int) -> tuple[str, ...]:
        """The end of the latest of the first `count` moves."""
        if not count:
            return ()
        pair = self.moves[count - 1]
        return (move_id(pair), *((self.back[pair.name].id,) if pair.name in self.back else ()))

    def _gate(self) -> tuple[str, ...]:
        return (self.gates[-1].id,) if self.gates else ()

    def put_id(self, host: str, stage: int) -> str:
        """`HOST/document`, `HOST/document-moved-1`, `HOST/document-rolled-1`, `HOST/document-settled`."""
        if stage in (0, self.last):
            return f"{host}/document" + ("-settled" if stage else "")
        moved = len(self.moves)
        return f"{host}/document-" + (f"moved-{stage}" if stage <= moved else f"rolled-{stage - moved}")


def move_id(pair: Pair) -> str:
    return machine_id(pair, Act.MOVE)
