"""What `doctor` found, for people and for scripts (schemas/doctor.schema.json)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cloudsync.model.checkup import Check, Verdict
from cloudsync.model.dataclass import dataclass
from cloudsync.render.paint import Paint
from cloudsync.spec.words import count, printable

FORMAT_VERSION = 1
_MARKS = {Verdict.OK: ("✓", "green"), Verdict.WARNING: ("!", "yellow"), Verdict.PROBLEM: ("✗", "red")}


@dataclass(frozen=True, slots=True)
class Findings:
    """`cloud` is None when the spec cannot be read; `hosts` are each host's checks, in order."""

    cloud: str | None
    spec: Sequence[Check]
    hosts: Mapping[str, Sequence[Check]]

    @property
    def all(self) -> Iterator[tuple[str | None, Check]]:
        """(host, check); the spec's have no host."""
        yield from ((None, check) for check in self.spec)
        yield from ((host, check) for host, checks in sorted(self.hosts.items()) for check in checks)

    @property
    def unwell(self) -> bool:
        return self.number(Verdict.PROBLEM) > 0

    def number(self, verdict: Verdict) -> int:
        return sum(check.verdict is verdict for _, check in self.all)


def document(findings: Findings) -> dict[str, Any]:
    """Plain values, ready for json.dumps."""
    return {
        "format_version": FORMAT_VERSION,
        "cloud": findings.cloud,
        "healthy": not findings.unwell,
        "checks": [
            {
                "host": host,
                "name": check.name,
                "verdict": check.verdict.value,
                "message": check.message,
                "fix": list(check.fix),
                "hint": check.hint,
            }
            for host, check in findings.all
        ],
    }


def text(findings: Findings, colour: bool) -> str:
    """A section for the spec and one for each host, then how many things are wrong."""
    paint = Paint(colour)
    parts = ["\n".join(_lines(findings.spec, paint, "this machine"))] if findings.spec else []
    for host, checks in sorted(findings.hosts.items()):
        parts.append("\n".join([f"host.{host}", *_lines(checks, paint, f"host.{host}")]))
    return "\n\n".join([*parts, _total(findings)]) + "\n"


def _lines(checks: Iterable[Check], paint: Paint, where: str) -> Iterator[str]:
    rows = tuple(checks)
    width = max((len(check.name) for check in rows), default=0)
    for check in rows:
        mark, colour = _MARKS[check.verdict]
        yield f"  {paint.of(colour, mark)} {check.name.ljust(width)}  {printable(check.message)}"
        if check.fix:
            yield f"      run as root on {where}:"
            yield from (f"        {printable(line)}" for line in check.fix)
        if check.hint:
            yield f"      {'note' if check.fix else 'hint'}: {printable(check.hint)}"


def _total(findings: Findings) -> str:
    problems, warnings = findings.number(Verdict.PROBLEM), findings.number(Verdict.WARNING)
    words = [count(number, word) for number, word in ((problems, "problem"), (warnings, "warning")) if number]
    return ", ".join(words) if words else "Nothing is wrong."
