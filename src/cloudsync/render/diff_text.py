"""What a change of the spec means, for people: `diff`. The plan's own words, with what was compared above them and
guesses below."""

from collections.abc import Iterator

from cloudsync.model.difference import Difference, Fate, Side, shown
from cloudsync.render.plan_text import text as plan_text
from cloudsync.spec.words import printable

HINT = "write `was: {was}` into instances.{name} if it is the same machine: it is then renamed in place"


def text(found: Difference, colour: bool) -> str:
    """What was compared, then the changes, then renames that may be meant."""
    lines = "\n".join(printable(line) for line in (title(found), *snapshot(found), *fate(found)))
    hints = "\n".join(f"hint: {printable(line)}" for line in guesses(found))
    body = (
        ""
        if found.fate is Fate.REMOVED
        else plan_text(found.plan, colour, "Diff" if found.snapshot is None else "Plan")
    )
    return "\n\n".join(part.rstrip("\n") for part in (lines, body, hints) if part) + "\n"


def title(found: Difference) -> str:
    """`cloud.yaml: 3f2a9c1d0b7e → the working tree`."""
    moved = f"{found.base.file} → " if found.fate is Fate.MOVED else ""
    return f"{moved}{found.head.file}: {side(found.base)} → {side(found.head)}"


def side(one: Side) -> str:
    return one.commit[:12] or "the working tree"


def snapshot(found: Difference) -> Iterator[str]:
    """Which state of the hosts it is planned against."""
    if found.snapshot is not None:
        yield f"the snapshot shows {shown(found.snapshot)}"


def fate(found: Difference) -> Iterator[str]:
    """What is to be known before the changes are read."""
    before = side(found.base)
    if found.fate is Fate.NEW:
        yield f"there is no such spec in {before}: all of it is new"
    elif found.fate is Fate.UNREADABLE:
        yield f"the spec is broken in {before}: it is compared with nothing, and all of it is shown as new"
    elif found.fate is Fate.REMOVED:
        yield "the spec is removed: nobody applies it any more, and what it has made stays as it is"
        yield "`cloudsync destroy`, with the spec as it was, removes that"


def guesses(found: Difference) -> Iterator[str]:
    """Renames that may be meant."""
    for one in found.alike:
        yield f"instance.{one.name} is instance.{one.was} but for the name: {HINT.format(was=one.was, name=one.name)}"
