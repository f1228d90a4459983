"""Each happening as one line of JSON, as schemas/watch.schema.json describes it. Pure; beats are not told."""

from typing import Any

from cloudsync.apply.events import Event, Failed, Finished, Progressed, Skipped, Started
from cloudsync.model.plan import Change, Held, Plan, Unplaced
from cloudsync.render.plan_json import summary
from cloudsync.render.problems import plain
from cloudsync.watch.happening import Ended, Happening, Planned, Ready, RoundBegan, RoundEnded, Stepped
from cloudsync.watch.trigger import Trigger

FORMAT_VERSION = 1


def line(happening: Happening, at: str) -> dict[str, Any] | None:
    """Plain values, ready for json.dumps; None for what is not told. `at` is the time, in UTC."""
    found = _fields(happening)
    return {"format_version": FORMAT_VERSION, "at": at, **found} if found else None


def _fields(happening: Happening) -> dict[str, Any]:
    match happening:
        case Ready():
            return {"event": "ready"}
        case RoundBegan():
            return {
                "event": "round-began",
                "round": happening.number,
                "triggers": [_trigger(one) for one in happening.triggers],
            }
        case Planned():
            return {"event": "planned", "round": happening.number, **_plan(happening.plan)}
        case Stepped():
            found = _step(happening.event)
            return {"event": "step", "round": happening.number, **found} if found else {}
        case RoundEnded():
            return {"event": "round-ended", "round": happening.number, **_ended(happening)}
        case Ended():
            return {"event": "ended", "interrupted": happening.interrupted}
    return {}


def _trigger(one: Trigger) -> dict[str, str]:
    return {"reason": one.reason.value, "detail": one.detail}


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "changes": [_change(change) for change in plan.changes],
        "held": [_held(one) for one in plan.held],
        "unplaced": [unplaced(one) for one in plan.unplaced],
        "drift": [{"address": one.address, "host": one.host, "message": one.message} for one in plan.drift],
        "warnings": list(plan.warnings),
        "summary": summary(plan),
    }


def _step(event: Event) -> dict[str, Any]:
    kinds: dict[type[Event], str] = {Started: "started", Finished: "done", Failed: "failed", Skipped: "skipped"}
    if isinstance(event, Progressed):
        return {}
    step = event.step
    return {
        "id": step.id,
        "kind": step.kind,
        "host": step.host,
        "address": step.address,
        "state": kinds[type(event)],
        "message": event.message if isinstance(event, Failed) else event.because if isinstance(event, Skipped) else "",
        "hint": event.hint if isinstance(event, Failed) else "",
    }


def _ended(one: RoundEnded) -> dict[str, Any]:
    return {
        "triggers": [_trigger(trigger) for trigger in one.triggers],
        "ending": one.ending.value,
        "seconds": round(one.seconds, 3),
        "commit": one.commit,
        "dirty": one.dirty,
        "drift": one.drift,
        "repaired": one.repaired,
        "made": [_change(change) for change in one.made],
        "mended": list(one.mended),
        "resting": [
            {"address": it.address, "times": it.times, "at": f"{it.at:%Y-%m-%dT%H:%M:%SZ}"} for it in one.resting
        ],
        "held": [_held(held) for held in one.held],
        "unplaced": [unplaced(it) for it in one.unplaced],
        "problems": [plain(problem) for problem in one.problems],
        "message": one.message,
        "hint": one.hint,
        "silent": list(one.silent),
        "again": None if one.again is None else round(one.again, 3),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "address": change.address,
        "action": change.action.value,
        "disruption": change.disruption.label,
        "destroys_data": change.destroys_data,
        "hosts": list(change.hosts),
    }


def _held(one: Held) -> dict[str, Any]:
    return {"why": one.why, **_change(one.change)}


def unplaced(one: Unplaced) -> dict[str, Any]:
    return {"instance": one.instance, "refusals": dict(one.refusals), "host": one.host}
