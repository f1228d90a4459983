"""`doctor`: what is wrong between here and the hosts, in order, with the fix for each."""

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from cloudsync.cli.exits import Exit
from cloudsync.cli.formats import one_of
from cloudsync.cli.say import colour, out, say
from cloudsync.hosts.fleet import Fleet
from cloudsync.model.checkup import Check, Verdict
from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import CloudsyncError, Problem, SpecError
from cloudsync.render import doctor as render
from cloudsync.render.doctor import Findings
from cloudsync.render.mended import mended


@dataclass(frozen=True, slots=True)
class _Seen:
    """`cloud` is None when the spec cannot be read; then no host is known."""

    spec: tuple[Check, ...]
    cloud: Cloud | None = None
    hosts: Mapping[str, tuple[Check, ...]] = field(default_factory=dict)

    @property
    def findings(self) -> Findings:
        return Findings(self.cloud.name if self.cloud else None, self.spec, self.hosts)


def run(path: Path, style: str, fix: bool, yes: bool) -> int:
    """Show it; with `fix` run the commands that this machine needs, look again, and say what came of it. 1 when there
    is a problem."""
    one_of(style, "text", "json")
    first = seen = _look(path)
    ran = _mended(first.cloud, first.hosts, yes) if fix and first.cloud else ()
    if ran:
        seen = _look(path)
    if style == "json":
        out(json.dumps(render.document(seen.findings), indent=2))
    else:
        out(render.text(seen.findings, colour()))
    if fix:
        say(mended(first.findings, seen.findings, ran, _here(seen)))
    return Exit.FAILED if seen.findings.unwell else Exit.DONE


def _look(path: Path) -> _Seen:
    from cloudsync.spec.load import load

    try:
        cloud = load(path)
    except SpecError as error:
        return _Seen(tuple(_told(problem) for problem in error.problems))
    except CloudsyncError as error:
        return _Seen((Check(name="spec", verdict=Verdict.PROBLEM, message=error.message, hint=error.hint),))
    what = f"{path}: cloud {cloud.name}, hosts: {len(cloud.hosts)}, instances: {len(cloud.instances)}"
    with Fleet.open(cloud) as fleet:
        return _Seen((Check(name="spec", verdict=Verdict.OK, message=what),), cloud, fleet.checkup())


def _told(problem: Problem) -> Check:
    where = f"{problem.place}: " if problem.place else ""
    return Check(name="spec", verdict=Verdict.PROBLEM, message=f"{where}{problem.message}", hint=problem.hint)


def _mended(cloud: Cloud, hosts: Mapping[str, tuple[Check, ...]], yes: bool) -> tuple[str, ...]:
    """The commands that were run."""
    from cloudsync.cli.mend import due, mend

    return due(cloud, hosts) if mend(cloud, hosts, yes) else ()


def _here(seen: _Seen) -> frozenset[str]:
    from cloudsync.cli.mend import here

    return here(seen.cloud, seen.hosts) if seen.cloud else frozenset()
