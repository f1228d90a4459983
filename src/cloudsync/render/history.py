"""Applies as the hosts' journals have them: a table for people, JSON for scripts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cloudsync.model.journal import Told
from cloudsync.model.problem import CloudsyncError
from cloudsync.render.table import table

FORMAT_VERSION = 1
UNFINISHED = "unfinished"
"""Nobody wrote down how it ended: it goes on, or was killed."""
OF_OTHERS = "what it holds of others"
_LONGEST = 100


def about(one: Told, address: str) -> bool:
    """Whether it changed what has this address; a host also by what it holds of others."""
    if any(did.address == address for did in one.began.changes):
        return True
    kind, _, name = address.partition(".")
    before, after = one.hosts.get(name, (0, 0)) if kind == "host" else (0, 0)
    return before != after


def document(cloud: str, told: Sequence[Told], silent: Mapping[str, CloudsyncError]) -> dict[str, Any]:
    """For scripts, as schemas/history.schema.json describes it."""
    return {
        "format_version": FORMAT_VERSION,
        "cloud": cloud,
        "applies": [_row(one) for one in told],
        "not_asked": {name: error.message for name, error in sorted(silent.items())},
    }


def text(told: Sequence[Told], address: str | None) -> str:
    """Newest first; with an `address`, what was done to that."""
    if not told:
        return "nothing of that was applied" if address else "nothing was applied yet"
    rows = [
        (
            one.began.applied.at,
            one.began.applied.by,
            _commit(one),
            _done_to(one, address) if address else _changes(one),
            _outcome(one),
        )
        for one in told
    ]
    return table(("WHEN", "BY", "COMMIT", "CHANGES", "OUTCOME"), rows)


def _row(one: Told) -> dict[str, Any]:
    began, ended = one.began, one.ended
    return {
        "id": began.id,
        "at": began.applied.at,
        "ended": ended.at if ended else None,
        "by": began.applied.by,
        "commit": began.applied.commit,
        "dirty": began.applied.dirty,
        "forced": began.forced,
        "version": began.version,
        "plan_digest": began.plan,
        "changes": [{"action": did.action, "address": did.address} for did in began.changes],
        "changes_not_listed": began.more,
        "outcome": ended.end.value if ended else UNFINISHED,
        "steps": {
            "planned": began.steps,
            "done": ended.done if ended else None,
            "failed": ended.failed if ended else None,
            "skipped": ended.skipped if ended else None,
        },
        "failures": list(ended.failures) if ended else [],
        "hosts": {name: {"before": before, "after": after} for name, (before, after) in sorted(one.hosts.items())},
    }


def _commit(one: Told) -> str:
    applied = one.began.applied
    if not applied.commit:
        return "-"
    return applied.commit[:12] + ("+" if applied.dirty else "") + (" forced" if one.began.forced else "")


def _changes(one: Told) -> str:
    """A single one with its address, else how many of each kind."""
    began = one.began
    if len(began.changes) == 1 and not began.more:
        return f"{began.changes[0].action} {began.changes[0].address}"
    words = [f"{count} {action}" for action, count in Counter(did.action for did in began.changes).items()]
    return ", ".join(words + ([f"{began.more} more"] if began.more else [])) or "-"


def _done_to(one: Told, address: str) -> str:
    return ", ".join(did.action for did in one.began.changes if did.address == address) or OF_OTHERS


def _outcome(one: Told) -> str:
    ended = one.ended
    if ended is None:
        return UNFINISHED
    if not ended.failures:
        return ended.end.value
    more = f" (and {len(ended.failures) - 1} more)" if len(ended.failures) > 1 else ""
    first = ended.failures[0]
    return f"{ended.end.value}: {first if len(first) <= _LONGEST else first[:_LONGEST] + '…'}{more}"
