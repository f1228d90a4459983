"""The documents that one host gets, in their order: before anything moves or goes, after each move, and at the end.

Each is whole, and numbered after the one before it. Called by order.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cloudsync.model.document import Applied, HostDocument
from cloudsync.model.snapshot import HostState
from cloudsync.model.step import PutDocument
from cloudsync.planner.disks import until_made
from cloudsync.planner.documents import Whole, claims, content, final, while_moving
from cloudsync.planner.floating import awaited, until_free
from cloudsync.planner.lingering import with_leaving
from cloudsync.planner.seen import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """`moves` of the whole cloud, one after the other; `floating` says who has each floating address now.

    `going` are those on this host that go once it has the document; `let_go` are deletes that it waits for.
    """

    host: HostState
    shared: Whole
    pairs: tuple[Pair, ...]
    moves: tuple[Pair, ...]
    floating: Mapping[str, Pair]
    going: tuple[Pair, ...]
    let_go: tuple[str, ...]
    applied: Applied


@dataclass(frozen=True, slots=True)
class Puts:
    """By stage: 0 before anything moves, n once n have moved, one more when what goes has gone. Some may be missing."""

    at: Mapping[int, PutDocument]
    last: int

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
    goal, host = final(stages.shared, stages.host.name), stages.host
    last = len(stages.moves) + 1
    if not claims(host, goal):
        return Puts({}, last)
    freed = _freed(stages)
    found: dict[int, PutDocument] = {}
    before, drifted = content(host.document), bool(host.drift)
    for stage in range(last + 1):
        document = _during(stages, goal, freed, stage) if stage < last else goal
        if document != before or (stage == 0 and drifted):
            found[stage] = _put(stages, document, stage, found, freed)
        before = document
    return Puts(found, last)


def _during(stages: Stages, goal: HostDocument, freed: Mapping[str, tuple[int, str]], stage: int) -> HostDocument:
    document = until_made(while_moving(goal, stages.moves[stage:]), (*stages.pairs, *stages.moves))
    document = with_leaving(document, stages.host.document, stages.going)
    return until_free(document, [address for address, (when, _) in freed.items() if when > stage])


def _freed(stages: Stages) -> dict[str, tuple[int, str]]:
    """Of floating addresses that another host still has: the stage at which it has let go, and its name."""
    wanted = (pair.wanted for pair in stages.pairs if pair.wanted)
    turns = {pair.name: turn for turn, pair in enumerate(stages.moves, 1)}
    last = len(stages.moves) + 1
    found = {}
    for address, host in awaited(stages.host.name, wanted, stages.floating).items():
        holder = stages.floating[address]
        mine = holder.wanted is not None and address in holder.wanted.floating
        found[address] = (turns.get(holder.name, last) if mine else last, host)
    return found


def _put(
    stages: Stages,
    document: HostDocument,
    stage: int,
    earlier: Mapping[int, PutDocument],
    freed: Mapping[str, tuple[int, str]],
) -> PutDocument:
    host = stages.host
    base = host.generation + len(earlier)
    waits = [earlier[max(earlier)].id] if earlier else []
    if stage == 0:
        waits += stages.let_go
    elif stage <= len(stages.moves):
        waits.append(move_id(stages.moves[stage - 1]))
    last = len(stages.moves) + 1
    waits += sorted(
        {put_id(other, stage if when < last else 0, last) for when, other in freed.values() if when == stage}
    )
    return PutDocument(
        id=put_id(host.name, stage, last),
        host=host.name,
        address=f"host.{host.name}",
        waits_for=tuple(dict.fromkeys(waits)),
        document=replace(document, generation=base + 1, applied=stages.applied),
        base=base,
    )


def put_id(host: str, stage: int, last: int) -> str:
    """`HOST/document`, `HOST/document-moved-1`, `HOST/document-settled`."""
    return f"{host}/document" + ("" if stage == 0 else "-settled" if stage == last else f"-moved-{stage}")


def move_id(pair: Pair) -> str:
    return f"{pair.host.name}/instance.{pair.name}/move"


def in_order(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    """Moves, one after the other: each is over, and everybody knows, before the next begins."""
    return tuple(sorted((pair for pair in pairs if pair.moves), key=lambda pair: pair.name))
