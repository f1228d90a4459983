"""The answer of `reach` for people: a line for those that fare alike, then why."""

from collections.abc import Iterable, Iterator

from cloudsync.model.cited import Cited
from cloudsync.model.dataclass import dataclass
from cloudsync.reach.ask import Answer, Pair
from cloudsync.reach.verdict import Verdict
from cloudsync.render.names import listed
from cloudsync.render.paint import Paint
from cloudsync.spec.words import printable

COLOURS = {Verdict.ALLOWED: "green", Verdict.DENIED: "red", Verdict.DEPENDS: "yellow"}


@dataclass(frozen=True, slots=True)
class Row:
    """`pair` is the first of those that it tells of."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    pair: Pair

    @property
    def ends(self) -> str:
        return printable(f"{listed(self.sources)} → {listed(self.targets)}")


def text(answer: Answer, colour: bool) -> str:
    """Rows, in the order in which they were asked about."""
    if not answer.pairs:
        return f"{printable(answer.note)}\n"
    return "\n".join(_lines(list(_rows(answer.pairs)), Paint(colour))) + "\n"


def _lines(rows: list[Row], paint: Paint) -> Iterator[str]:
    width = max((len(row.ends) for row in rows if len(row.ends) <= 60), default=0)
    services = max(len(str(row.pair.service)) for row in rows)
    for index, row in enumerate(rows):
        pair = row.pair
        verdict = paint.of(COLOURS[pair.verdict], pair.verdict.value)
        yield f"{row.ends.ljust(width)}  {str(pair.service).ljust(services)}  {verdict}{_where(pair.rule)}"
        if index + 1 == len(rows) or rows[index + 1].pair.because != pair.because:
            yield f"    {printable(pair.because)}"
        if pair.spec and pair.verdict.differs(pair.spec):
            said = f"the spec says {pair.spec.value}: apply it, or find out who changed the host's rules"
            yield f"    {paint.of('magenta', said)}"


def _rows(pairs: Iterable[Pair]) -> Iterator[Row]:
    """Targets of one source together, then sources of the same targets."""
    forth: dict[tuple[object, ...], list[Pair]] = {}
    for pair in pairs:
        forth.setdefault((pair.source, *_fate(pair)), []).append(pair)
    back: dict[tuple[object, ...], list[list[Pair]]] = {}
    for found in forth.values():
        back.setdefault((tuple(pair.target for pair in found), *_fate(found[0])), []).append(found)
    for same in back.values():
        sources = tuple(found[0].source for found in same)
        yield Row(sources, tuple(pair.target for pair in same[0]), same[0][0])


def _fate(pair: Pair) -> tuple[object, ...]:
    """What is the same for all that one row tells of: why, too, but for the names in it."""
    why = pair.because
    for name in sorted((pair.source, pair.target), key=len, reverse=True):
        why = why.replace(name, "it")
    return pair.service, pair.verdict, pair.rule, pair.spec, why


def _where(rule: Cited | None) -> str:
    if rule is None:
        return ""
    place = f"  {rule.address}" + (f"  {rule.file}:{rule.line}" if rule.line else "  (implied)")
    return place if rule.packets is None else f"{place}  {rule.packets:,} packet{'s' if rule.packets != 1 else ''}"
