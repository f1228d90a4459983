"""Two ends -> what may pass between them, and by which rules. Both sides must agree: the sender's and the receiver's.

An instance reaches another when some address of the one reaches some address of the other.
"""

from collections.abc import Iterator

from cloudsync.model.dataclass import dataclass
from cloudsync.model.resources import Direction
from cloudsync.reach.law import Law
from cloudsync.reach.scene import Port
from cloudsync.reach.service import ANY, Service
from cloudsync.reach.spot import Spot


@dataclass(frozen=True, slots=True)
class Side:
    """One network card at one end of a flow, or an address that is no card of ours and refuses nothing."""

    spot: Spot
    port: Port | None = None

    def lets(self, direction: Direction, other: Spot, asked: Service) -> Iterator["Half"]:
        """Everything of `asked` that it lets through, towards `other` or from there."""
        if self.port is None or not self.port.guarded:
            yield Half(asked)
            return
        for law in self.port.laws(direction):
            part = law.service.meet(asked)
            met = law.meets(other) if part else False
            if part and met is not False:
                yield Half(part, law, sure=met is True)


@dataclass(frozen=True, slots=True)
class Half:
    """What one side lets through, by which law. Not `sure` while it depends on an address."""

    service: Service
    law: Law | None = None
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Passage:
    """What may pass: `out` is the sender's law, `into` the receiver's, each None where nothing is filtered."""

    service: Service
    out: Law | None
    into: Law | None
    sure: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """`sent` and `taken` are what each side alone would let through of what was asked."""

    passages: tuple[Passage, ...]
    sent: tuple[Service, ...]
    taken: tuple[Service, ...]

    @property
    def certain(self) -> tuple[Passage, ...]:
        return tuple(one for one in self.passages if one.sure)


def judge(sources: tuple[Side, ...], targets: tuple[Side, ...], asked: Service = ANY) -> Judgement:
    """What of `asked` may pass from some of `sources` to some of `targets`."""
    passages: list[Passage] = []
    sent: list[Service] = []
    taken: list[Service] = []
    for source in sources:
        for target in targets:
            outs = list(source.lets(Direction.EGRESS, target.spot, asked))
            intos = list(target.lets(Direction.INGRESS, source.spot, asked))
            passages += _both(outs, intos)
            sent += (half.service for half in outs)
            taken += (half.service for half in intos)
    return Judgement(tuple(passages), tuple(dict.fromkeys(sent)), tuple(dict.fromkeys(taken)))


def _both(outs: list[Half], intos: list[Half]) -> Iterator[Passage]:
    for out in outs:
        for into in intos:
            service = out.service.meet(into.service)
            if service:
                yield Passage(service, out.law, into.law, out.sure and into.sure)
