"""What every host keeps of every apply: a line when one begins and a line when it ends, which stay as they are.

The controller writes both to each host that it holds the lock of, so the record outlives any of them; one that was
killed in between has no second line. Whatever the last line has become, the others are read.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import Literal

from cloudsync.model import wire
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import Applied

MOST_CHANGES = 500
MOST_FAILURES = 20
LONGEST = 1 << 18
"""Bytes of a line; a longer one is none of ours."""
_TEXT = 300


class End(StrEnum):
    """How an apply ended. `lost`: the lock of a host was gone before."""

    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Did:
    """One change of a plan: `action` is its word, or `repair` of what drifted."""

    action: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """`id` is the same on every host. `applied.at` is when; `forced`: an older commit was to be applied all the same.

    `plan` is a digest of the changes, `version` the controller's. `more` counts changes that are not listed.
    `generation` is what this host's document had then: the host itself says so.
    """

    id: str
    cloud: str
    applied: Applied
    plan: str = ""
    version: str = ""
    forced: bool = False
    changes: tuple[Did, ...] = ()
    more: int = 0
    steps: int = 0
    generation: int = 0
    kind: Literal["began"] = "began"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Numbers are of steps; `failures` says which failed and why, the first ones of many."""

    id: str
    at: str
    end: End
    done: int = 0
    failed: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()
    generation: int = 0
    kind: Literal["ended"] = "ended"


Line = Began | Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One apply as one host has it; nobody said how it ended where `ended` is None."""

    began: Began
    ended: Ended | None = None

    @property
    def took_effect(self) -> bool:
        """Whether anything of it may be there."""
        return self.ended is None or self.ended.done > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One apply as all hosts have it: `hosts` has each one's generation before and (where it heard the end) after."""

    began: Began
    ended: Ended | None
    hosts: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)


def line(record: Line, generation: int) -> bytes:
    """As it is kept, by a host whose document has `generation`: never longer than what can be read again."""
    return wire.dump(_short(replace(record, generation=generation))) + b"\n"


def entries(lines: Iterable[bytes]) -> tuple[Entry, ...]:
    """Applies in the order in which they began. A line that was torn, or is none, is passed over."""
    found: dict[str, Entry] = {}
    for text in lines:
        record = read(text)
        if isinstance(record, Began):
            found.setdefault(record.id, Entry(began=record))
        elif record is not None and record.id in found:
            found[record.id] = Entry(began=found[record.id].began, ended=record)
    return tuple(found.values())


def latest(found: Iterable[Entry]) -> dict[str, Applied]:
    """By cloud, the last of which anything may be there."""
    newest: dict[str, Applied] = {}
    for entry in found:
        if entry.took_effect:
            now = newest.get(entry.began.cloud)
            if now is None or now.at <= entry.began.applied.at:
                newest[entry.began.cloud] = entry.began.applied
    return newest


def cut_off(found: Iterable[Entry]) -> dict[str, frozenset[str]]:
    """By cloud, the addresses of what its last apply was to change, where nobody wrote down how that ended."""
    last = {entry.began.cloud: entry for entry in found}
    return {
        cloud: frozenset(one.address for one in entry.began.changes)
        for cloud, entry in last.items()
        if entry.ended is None
    }


def of_cloud(found: Iterable[Entry], cloud: str, limit: int) -> tuple[Entry, ...]:
    """The last `limit` of one cloud; the host may have been another's."""
    ours = tuple(entry for entry in found if entry.began.cloud == cloud)
    return ours[max(0, len(ours) - limit) :]


def merged(journals: Mapping[str, Iterable[Entry]]) -> tuple[Told, ...]:
    """What the hosts have, by host, as one: newest first."""
    found: dict[str, Told] = {}
    for host, journal in sorted(journals.items()):
        for entry in journal:
            after = entry.ended.generation if entry.ended else None
            known = found.get(entry.began.id) or Told(began=entry.began, ended=None)
            hosts = {**known.hosts, host: (entry.began.generation, after)}
            found[entry.began.id] = replace(known, ended=known.ended or entry.ended, hosts=hosts)
    return tuple(sorted(found.values(), key=lambda one: (one.began.applied.at, one.began.id), reverse=True))


def read(text: bytes) -> Line | None:
    """None when it is no line of a journal."""
    if not text.strip() or len(text) > LONGEST:
        return None
    try:
        kind = json.loads(text).get("kind")
        return wire.load(Began, text) if kind == "began" else wire.load(Ended, text) if kind == "ended" else None
    except (ValueError, AttributeError, RecursionError):
        return None


def _short(record: Line) -> Line:
    if isinstance(record, Ended):
        failures = tuple(text[:_TEXT] for text in record.failures[:MOST_FAILURES])
        return replace(record, id=record.id[:_TEXT], at=record.at[:_TEXT], failures=failures)
    applied = replace(
        record.applied,
        commit=record.applied.commit[:_TEXT],
        by=record.applied.by[:_TEXT],
        at=record.applied.at[:_TEXT],
    )
    changes = tuple(replace(one, action=one.action[:20], address=one.address[:100]) for one in record.changes)
    return replace(
        record,
        id=record.id[:_TEXT],
        cloud=record.cloud[:_TEXT],
        applied=applied,
        plan=record.plan[:_TEXT],
        version=record.version[:_TEXT],
        changes=changes[:MOST_CHANGES],
        more=record.more + len(changes[MOST_CHANGES:]),
    )
