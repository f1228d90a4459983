"""A question in words -> the answer for every pair that its two ends stand for. `cloudsync reach` asks."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cloudsync.model.cited import Cited
from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import CloudsyncError
from cloudsync.reach.doubt import doubt
from cloudsync.reach.encounter import Encounter
from cloudsync.reach.ends import End, Party, Sort, end
from cloudsync.reach.explain import because, cite, path
from cloudsync.reach.meetings import Meetings
from cloudsync.reach.scene import Scene
from cloudsync.reach.service import Service
from cloudsync.reach.verdict import Outcome, Verdict

MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """`spec` is what the spec says where the kernel was asked, and None otherwise."""

    source: str
    target: str
    service: Service
    verdict: Verdict
    rule: Cited | None
    because: str
    path: tuple[str, ...]
    spec: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`note` says why there is no pair at all."""

    pairs: tuple[Pair, ...]
    note: str = ""

    @property
    def yes(self) -> bool:
        """Everything that was asked about is certainly allowed."""
        return bool(self.pairs) and all(pair.verdict is Verdict.ALLOWED for pair in self.pairs)


def ask(cloud: Cloud, scene: Scene, source: str, target: str, asked: Service) -> Answer:
    """Raise CloudsyncError for ends that are none, that are both outside, or that are too many."""
    here, there = end(source, cloud, scene), end(target, cloud, scene)
    meetings = Meetings(scene, (*here.parties, *there.parties), asked)
    met = ((one, other, meetings.of(one, other)) for one, other in couples(here, there))
    pairs = tuple(pair for one, other, found in met for pair in told(cloud, scene, one, other, found))
    return Answer(pairs=pairs, note="" if pairs else _nobody(here, there))


def couples(here: End, there: End) -> Iterator[tuple[Party, Party]]:
    """Who is asked about; an instance and itself only where nobody else is meant."""
    ours = any(party.sort is Sort.INSTANCE for end in (here, there) for party in end.parties)
    if not ours and here.parties and there.parties:
        message = f"neither {here.word} nor {there.word} is an instance: no rule of this cloud is about them"
        raise CloudsyncError(message, "let one end be instance.NAME, group.NAME or network.NAME")
    if len(here.parties) * len(there.parties) > MOST:
        message = f"{here.word} and {there.word} are {len(here.parties) * len(there.parties):,} pairs"
        raise CloudsyncError(message, f"ask about at most {MOST:,}: name one instance for one of the ends")
    alone = len(here.parties) == len(there.parties) == 1
    for one in here.parties:
        for other in there.parties:
            if alone or one.label != other.label:
                yield one, other


def _nobody(here: End, there: End) -> str:
    empty = [end.word for end in (here, there) if not end.parties]
    return f"there is no instance in {' or '.join(dict.fromkeys(empty)) or here.word}"


def told(cloud: Cloud, scene: Scene, here: Party, there: Party, found: Iterable[Encounter]) -> Iterator[Pair]:
    """What the scene says of two parties, by how they meet."""
    yield from once([_pairs(cloud, scene, here, there, met) for met in found])


def once(pieces: list[list[Pair]]) -> Iterator[Pair]:
    """Of pieces of a region, only what is not so of its rest, which comes first."""
    rest = {(pair.service, pair.verdict) for pair in pieces[0]} if pieces else set()
    for index, piece in enumerate(pieces):
        yield from (pair for pair in piece if index == 0 or (pair.service, pair.verdict) not in rest)


def _pairs(cloud: Cloud, scene: Scene, here: Party, there: Party, met: Encounter) -> list[Pair]:
    one, other = replace(here, label=met.source), replace(there, label=met.target)
    return [_pair(cloud, scene, one, other, met, outcome) for outcome in met.outcomes]


def _pair(cloud: Cloud, scene: Scene, here: Party, there: Party, met: Encounter, outcome: Outcome) -> Pair:
    said, unsure = because(scene, here, there, met, outcome), doubt(scene, here, there, outcome.verdict)
    return Pair(
        source=met.source,
        target=met.target,
        service=outcome.service,
        verdict=outcome.verdict,
        rule=cite(cloud, outcome),
        because=f"{said}; {unsure}" if unsure else said,
        path=path(cloud, met.source, met.target, outcome),
    )
