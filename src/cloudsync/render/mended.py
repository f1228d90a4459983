"""What became of each problem that `doctor --fix` set out to end. Pure."""

from collections.abc import Collection

from cloudsync.model.checkup import Verdict
from cloudsync.render.doctor import Findings
from cloudsync.spec.words import count

_Name = tuple[str | None, str]
"""A host, None for the spec, and a check's name."""


def mended(before: Findings, after: Findings, ran: Collection[str], here: Collection[str]) -> str:
    """A line for each; `ran` are the commands that were run, and `here` the hosts that are this machine."""
    lines = [f"run on this machine: {count(len(ran), 'command')}" if ran else "nothing was run"]
    was, left, looked = _problems(before), _problems(after), {(host, check.name) for host, check in after.all}
    for name in (one for one in was if one not in left):
        if name in looked:
            lines.append(f"fixed: {_words(name)}")
        else:
            lines.append(f"not known to be fixed: {_words(name)}: it cannot be looked at now")
    for name, fix in left.items():
        lines.append(f"not fixed: {_words(name)}: {_why(fix, was.get(name, ()), ran, name[0] in here)}")
    warnings = after.number(Verdict.WARNING)
    return "\n".join([*lines, *([f"left to you: {count(warnings, 'warning')}"] if warnings else [])])


def _problems(found: Findings) -> dict[_Name, tuple[str, ...]]:
    """Each with the commands that would end it."""
    names: dict[_Name, tuple[str, ...]] = {}
    for host, check in found.all:
        if check.verdict is Verdict.PROBLEM:
            name = (host, check.name)
            names[name] = (*names.get(name, ()), *check.fix)
    return names


def _words(name: _Name) -> str:
    return f"{name[1]} of host.{name[0]}" if name[0] else name[1]


def _why(fix: tuple[str, ...], was: tuple[str, ...], ran: Collection[str], here: bool) -> str:
    if fix and not here:
        return "its commands are to be run on that machine"
    if was and set(was) <= set(ran) and here:
        again = any(line not in ran for line in fix)
        return "other commands are needed now: run this again" if again else "its commands were run, and it is still so"
    return "its commands were not run" if fix else "no command ends it: see above"
