"""What a judgement says about what was asked: a yes, a no, or that it depends on an address nobody has decided."""

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from cloudsync.model.dataclass import dataclass
from cloudsync.reach.judge import Judgement, Passage
from cloudsync.reach.service import Service, minus, union


class Verdict(StrEnum):
    ALLOWED = "allowed"
    DENIED = "denied"
    DEPENDS = "depends"

    def differs(self, spec: "Verdict") -> bool:
        """From what the spec says: nothing differs from what depends."""
        return spec not in (self, Verdict.DEPENDS)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`passage` is None for what is denied. `why` is said where no rule of a group decides."""

    service: Service
    verdict: Verdict
    passage: Passage | None = None
    why: str = ""


def outcomes(found: Judgement, asked: Service, unsure: bool = False) -> tuple[Outcome, ...]:
    """One where a yes or no can answer for all of it, else one for each part that may pass, or one for nothing.

    `unsure`: what may pass depends on something else besides.
    """
    told = tuple(_single(found, asked) if asked.single else _parts(found))
    if told and asked.ranged:
        rest = minus((asked,), tuple(one.service for one in told))
        told = (*told, *(Outcome(one, Verdict.DENIED) for one in rest))
    if unsure:
        told = tuple(one if one.verdict is Verdict.DENIED else replace(one, verdict=Verdict.DEPENDS) for one in told)
    return told or (Outcome(asked, Verdict.DENIED),)


def _single(found: Judgement, asked: Service) -> Iterator[Outcome]:
    for passages, verdict in ((found.certain, Verdict.ALLOWED), (found.passages, Verdict.DEPENDS)):
        decisive = next((one for one in passages if one.service.covers(asked)), None)
        if decisive:
            yield Outcome(asked, verdict, decisive)
            return


def _parts(found: Judgement) -> Iterator[Outcome]:
    certain = union(tuple(one.service for one in found.certain))
    for service in certain:
        yield Outcome(service, Verdict.ALLOWED, _decisive(found.certain, service))
    for service in minus(tuple(one.service for one in found.passages), certain):
        yield Outcome(service, Verdict.DEPENDS, _decisive(found.passages, service))


def _decisive(passages: tuple[Passage, ...], service: Service) -> Passage:
    """The one that lets all of it pass, or else the first of those that share it."""
    return next(
        (one for one in passages if one.service.covers(service)),
        next(one for one in passages if one.service.meet(service)),
    )
