"""A plan for scripts, as schemas/plan.schema.json describes it. Documents and images stay out of it."""

from collections import Counter
from typing import Any

from cloudsync.model.plan import Action, Change, Checked, Exposed, Plan
from cloudsync.model.step import Step


def document(plan: Plan) -> dict[str, Any]:
    """Plain values, ready for json.dumps."""
    return {
        "format_version": plan.format_version,
        "cloud": plan.cloud,
        "commit": plan.commit,
        "spec_digest": plan.spec_digest,
        "hosts": {
            name: {"status": host.status, "reason": host.reason, "generation": host.generation, "digest": host.digest}
            for name, host in sorted(plan.hosts.items())
        },
        "drift": [
            {"address": item.address, "host": item.host, "message": item.message, "remedy": item.remedy}
            for item in plan.drift
        ],
        "changes": [_change(change) for change in plan.changes],
        "placements": [
            {
                "instance": placement.instance,
                "host": placement.host,
                "runner_up": placement.runner_up,
                "refusals": dict(placement.refusals),
                "refusing": placement.refusing,
            }
            for placement in plan.placements
        ],
        "unplaced": [
            {"instance": item.instance, "refusals": dict(item.refusals), "host": item.host} for item in plan.unplaced
        ],
        "exposure": {
            "added": [_exposed(line) for line in plan.exposure.added],
            "removed": [_exposed(line) for line in plan.exposure.removed],
        },
        "expectations": [_checked(one) for one in plan.expectations],
        "warnings": list(plan.warnings),
        "rolls": [
            {
                "group": roll.group,
                "at_once": roll.at_once,
                "instances": list(roll.instances),
                "awaited": list(roll.awaited),
            }
            for roll in plan.rolls
        ],
        "mass": [{"group": one.group, "going": list(one.going), "of": one.of} for one in plan.mass],
        "held": [{"why": one.why, **_change(one.change)} for one in plan.held],
        "notes": list(plan.notes),
        "steps": [_step(step) for step in plan.steps],
        "summary": summary(plan),
    }


def summary(plan: Plan) -> dict[str, int]:
    """Counts: add, change, replace, remove, drift, disks_destroyed."""
    count = Counter(change.action for change in plan.changes)
    return {
        "add": count[Action.CREATE],
        "change": sum(count[action] for action in (Action.UPDATE, Action.MOVE, Action.RENAME)),
        "replace": count[Action.REPLACE],
        "remove": count[Action.DELETE],
        "drift": sum(item.repaired for item in plan.drift),
        "disks_destroyed": sum(len(change.disks) or 1 for change in plan.destroys),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "address": change.address,
        "action": change.action.value,
        "fields": [{"path": item.path, "before": item.before, "after": item.after} for item in change.fields],
        "reasons": list(change.reasons),
        "hosts": list(change.hosts),
        "destroys_data": change.destroys_data,
        "disks_destroyed": list(change.disks),
        "disruption": change.disruption.label,
    }


def _exposed(line: Exposed) -> dict[str, Any]:
    return {"from": list(line.sources), "to": list(line.targets), "services": list(line.services)}


def _checked(one: Checked) -> dict[str, Any]:
    from cloudsync.render.reach_json import rule

    wanted, place = one.expectation, one.place
    return {
        "expect": "allow" if wanted.allow else "deny",
        "from": wanted.source,
        "to": wanted.target,
        "protocol": wanted.protocol,
        "port": wanted.port,
        "holds": one.holds,
        "because": one.because,
        "rule": rule(one.rule),
        "file": place.file if place else None,
        "line": place.line if place else None,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "kind": step.kind,
        "host": step.host,
        "address": step.address,
        "waits_for": list(step.waits_for),
    }
