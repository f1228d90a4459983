"""The documents that one host gets, in their order: before anything moves or goes, after each move, before each batch
of those that roll, and at the end.

Each is whole, and numbered after the one before it. Called by order.py.
"""

from collections.abc import Mapping
from dataclasses import replace

from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import Applied, HostDocument
from cloudsync.model.snapshot import HostState
from cloudsync.model.step import PutDocument
from cloudsync.planner.disks import until_made
from cloudsync.planner.documents import Whole, claims, content, final, while_moving
from cloudsync.planner.floating import awaited, until_free
from cloudsync.planner.lingering import with_leaving
from cloudsync.planner.seen import Pair
from cloudsync.planner.turns import Turns, move_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """`turns` of the whole cloud; `shared` is what all documents share before each batch, and after the last.
    `floating` says who has each floating address now.

    `going` are those on this host that go once it has the document; `let_go` are deletes that it waits for, by stage.
    """

    host: HostState
    shared: tuple[Whole, ...]
    pairs: tuple[Pair, ...]
    turns: Turns
    floating: Mapping[str, Pair]
    going: tuple[Pair, ...]
    let_go: Mapping[int, tuple[str, ...]]
    applied: Applied

    def news(self, stage: int) -> bool:
        """Whether a batch changes anything that this host is told of."""
        before, now = (self.shared[self.turns.rolled(at)] for at in (stage - 1, stage))
        name = self.host.name
        same = before.directory is now.directory and before.members is now.members
        return not same or before.local.get(name) != now.local.get(name)


@dataclass(frozen=True, slots=True)
class Puts:
    """By stage, as Turns counts them. Some may be missing."""

    at: Mapping[int, PutDocument]
    last: int

    def by(self, stage: int) -> PutDocument | None:
        """The latest one up to that stage."""
        return self.at.get(max((at for at in self.at if at <= stage), default=-1))

    @property
    def prepare(self) -> PutDocument | None:
        return self.at.get(0)

    @property
    def settle(self) -> PutDocument | None:
        return self.at.get(self.last)

    def settled_by(self, waits_for: tuple[str, ...]) -> "Puts":
        """The last one waits for these besides."""
        if self.settle is None:
            return self
        settle = replace(self.settle, waits_for=(*self.settle.waits_for, *waits_for))
        return replace(self, at={**self.at, self.last: settle})


def puts(stages: Stages) -> Puts:
    """A host that is as it should be gets none."""
    goal, host, turns = final(stages.shared[-1], stages.host.name), stages.host, stages.turns
    if not claims(host, goal):
        return Puts({}, turns.last)
    freed = _freed(stages)
    found: dict[int, PutDocument] = {}
    before, drifted = content(host.document), bool(host.drift)
    for stage in range(turns.last + 1):
        if len(turns.moves) < stage < turns.last and not stages.news(stage):
            continue
        document = _during(stages, freed, stage) if stage < turns.last else goal
        if document != before or (stage == 0 and drifted):
            found[stage] = _put(stages, document, stage, found, freed)
        before = document
    return Puts(found, turns.last)


def _during(stages: Stages, freed: Mapping[str, tuple[int, str]], stage: int) -> HostDocument:
    turns = stages.turns
    then = final(stages.shared[turns.rolled(stage)], stages.host.name)
    document = until_made(while_moving(then, turns.unmoved(stage)), (*stages.pairs, *turns.moves))
    document = with_leaving(document, stages.host.document, stages.going)
    return until_free(document, [address for address, (when, _) in freed.items() if when > stage])


def _freed(stages: Stages) -> dict[str, tuple[int, str]]:
    """Of floating addresses that another host still has: the stage at which it has let go, and its name."""
    wanted = (pair.wanted for pair in stages.pairs if pair.wanted)
    turns, last = stages.turns, stages.turns.last
    gone = {pair.name: turn for turn, pair in enumerate(turns.moves, 1)} | turns.stages
    found = {}
    for address, host in awaited(stages.host.name, wanted, stages.floating).items():
        holder = stages.floating[address]
        mine = holder.wanted is not None and address in holder.wanted.floating
        found[address] = (gone.get(holder.name, last) if mine else last, host)
    return found


def _put(
    stages: Stages,
    document: HostDocument,
    stage: int,
    earlier: Mapping[int, PutDocument],
    freed: Mapping[str, tuple[int, str]],
) -> PutDocument:
    host, turns = stages.host, stages.turns
    base = host.generation + len(earlier)
    waits = [earlier[max(earlier)].id] if earlier else []
    waits += stages.let_go.get(stage, ())
    if 0 < stage <= len(turns.moves):
        waits.append(move_id(turns.moves[stage - 1]))
    elif 0 < stage < turns.last:
        waits += turns.opens(stage)
    waits += sorted(
        {turns.put_id(other, stage if when < turns.last else 0) for when, other in freed.values() if when == stage}
    )
    return PutDocument(
        id=turns.put_id(host.name, stage),
        host=host.name,
        address=f"host.{host.name}",
        waits_for=tuple(dict.fromkeys(waits)),
        document=replace(document, generation=base + 1, applied=stages.applied),
        base=base,
    )
