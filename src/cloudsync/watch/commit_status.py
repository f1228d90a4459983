"""What became of the followed commit, as a forge wants to know it: each round's end into one value, and that into JSON.

herald.py tells it to a file and to a program of the person's. It holds what plans and problems show, so no secrets.
"""

from dataclasses import field
from enum import StrEnum

from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Change, Unplaced
from cloudsync.model.problem import Problem
from cloudsync.render.problems import plain
from cloudsync.spec.words import count, some
from cloudsync.watch.happening import Ending, RoundEnded
from cloudsync.watch.lines import unplaced

MOST = 100
"""Changes and problems that are listed."""


class State(StrEnum):
    """The words that forges have for a commit."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    """`pending` also where something of the commit waits: for a person, a host, another apply. `failure`: the commit is
    broken or refused, and what runs stays as it is, or no host takes an instance of it. `error`: carrying it out
    failed."""

    branch: str
    commit: str
    state: State
    summary: str
    hint: str = ""
    made: tuple[Change, ...] = ()
    held: tuple[Change, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    silent: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = field(default=())


def begun(branch: str, commit: str) -> CommitStatus:
    return CommitStatus(branch=branch, commit=commit, state=State.PENDING, summary="it is being applied")


def ended(branch: str, commit: str, one: RoundEnded) -> CommitStatus:
    state, summary = _judged(one)
    return CommitStatus(
        branch=branch,
        commit=commit,
        state=state,
        summary=summary,
        hint=one.hint or ("`cloudsync plan` says why no host takes it" if one.unplaced else ""),
        made=one.made,
        held=tuple(held.change for held in one.held),
        unplaced=one.unplaced,
        silent=one.silent,
        problems=one.problems,
    )


def _judged(one: RoundEnded) -> tuple[State, str]:
    match one.ending:
        case Ending.BROKEN:
            return State.FAILURE, f"{count(len(one.problems), 'problem')} in the spec"
        case Ending.REFUSED:
            return State.FAILURE, one.message or "it is refused"
        case Ending.FAILED:
            return State.ERROR, one.message or "an action failed"
        case Ending.LOCKED:
            return State.PENDING, one.message or "another apply works on the hosts"
        case Ending.INTERRUPTED:
            return State.PENDING, "it was interrupted"
        case Ending.QUIET | Ending.APPLIED:
            return _applied(one)


def _applied(one: RoundEnded) -> tuple[State, str]:
    done = f"{count(len(one.made), 'change')} applied" if one.made else "nothing to do"
    waits = [f"{count(len(one.held), 'change')} held"] if one.held else []
    waits += [f"no answer from {some(one.silent)}"] if one.silent else []
    if one.unplaced:
        # A host that is silent may have room.
        state = State.PENDING if one.silent else State.FAILURE
        return state, "; ".join([f"no place for {some([it.instance for it in one.unplaced])}", done, *waits])
    return (State.PENDING if waits else State.SUCCESS), "; ".join([done, *waits])


def document(one: CommitStatus, at: str) -> dict[str, object]:
    """`schemas/commit-status.schema.json` describes it."""
    return {
        "format_version": 1,
        "branch": one.branch,
        "commit": one.commit,
        "state": one.state.value,
        "summary": one.summary,
        "hint": one.hint,
        "applied": [_change(change) for change in one.made[:MOST]],
        "held": [_change(change) for change in one.held[:MOST]],
        "unplaced": [unplaced(it) for it in one.unplaced[:MOST]],
        "silent": list(one.silent),
        "problems": [plain(problem) for problem in one.problems[:MOST]],
        "at": at,
    }


def _change(change: Change) -> dict[str, object]:
    return {"address": change.address, "action": change.action.value, "disruption": change.disruption.label}
