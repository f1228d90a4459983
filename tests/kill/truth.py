"""Whether what happened to each machine is what the plan announced, both as seen from outside."""

import json
from collections.abc import Mapping
from typing import Any

from tests.kill.held import Found, Machine, look
from tests.kill.journey import Journey
from tests.kill.spec import Cloud

QUIET = ("none", "live", "next-boot")
LOUD = ("restart", "rebuild-keeps-data")


def confirm(journey: Journey, goal: Cloud) -> bool:
    """Apply `goal`: it does what its plan says, and the next plan is empty. False when such a change is never made."""
    before = journey.found
    spec = journey.write(goal)
    planned = journey.program.calm(spec, "plan", "--format", "json")
    if planned.code == 1:
        assert "Traceback" not in planned.err and "a bug in" not in planned.err, planned.said
        return False
    assert planned.code == 0, planned.said
    plan = json.loads(planned.out)
    done = journey.program.apply(spec)
    after = look(journey.place)
    found = lies(plan, before, after)
    assert not found, f"{found}\n{done.said}"
    there = {file for _, file in after.disks}
    journey.arrived(goal, frozenset(file for _, file in before.disks if file not in there))
    return True


def lies(plan: Mapping[str, Any], before: Found, after: Found) -> list[str]:
    """Each difference, both ways: more happened than was said, or less."""
    destroying = {change["address"] for change in plan["changes"] if change["destroys_data"]}
    said = {change["address"]: change for change in plan["changes"] if not _gives_a_disk_up(change)}
    olds = {uuid: one for (_, uuid), one in before.machines.items()}
    news = {uuid: one for (_, uuid), one in after.machines.items()}
    found = []
    for uuid in olds.keys() | news.keys():
        old, new = olds.get(uuid), news.get(uuid)
        name = new.name if new else old.name if old else ""
        change = said.get(f"instance.{name}", {})
        happened, announced = _happened(old, new), _announced(change, old, new)
        if happened not in announced:
            found.append(f"{name}: {happened}, announced {change.get('action')} {change.get('disruption')}: {change}")
        gone = old.data - {file for _, file in after.disks} if old else set()
        if gone and f"instance.{name}" not in destroying:
            found.append(f"{name}: {gone} destroyed without a word: {change}")
    return found


def _gives_a_disk_up(change: Mapping[str, Any]) -> bool:
    """And does nothing else: what happens to the machine itself is another change's matter."""
    return change["action"] == "update" and bool(change.get("disks_destroyed"))


def _happened(old: Machine | None, new: Machine | None) -> str:
    if old is None or new is None:
        return "made" if new else "destroyed"
    if old.host != new.host:
        if old.runs and new.runs:
            return "migrated" if "-incoming" in new.qemu else "moved with a restart"
        return "moved while off" if not old.runs else "moved and stopped"
    if old.qemu == new.qemu:
        return "nothing"
    return "restarted" if old.runs and new.runs else "started" if new.runs else "stopped"


def _announced(change: Mapping[str, Any], old: Machine | None, new: Machine | None) -> set[str]:
    """What may have happened."""
    if not change:
        return {"nothing"}
    action, kind = change["action"], change["disruption"]
    if action in ("create", "replace", "delete") and (old is None or new is None):
        return {"made"} if new and action != "delete" else {"destroyed"} if change["destroys_data"] else set()
    if kind == "migrate":
        return {"migrated"}
    moved = {"moved while off"} if action == "move" else set()
    if kind in QUIET:
        return moved or ({"nothing"} if old and old.runs else {"nothing", "started"})
    if kind in LOUD:
        return {"moved with a restart", "moved and stopped"} if action == "move" else {"restarted", "stopped"}
    return set()
