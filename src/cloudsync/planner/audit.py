"""Invariants of any plan. A plan that breaks one is a bug of ours: better no plan than that one."""

from collections import Counter
from graphlib import CycleError, TopologicalSorter

from cloudsync.model.plan import Plan
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.resources import World


def audit(plan: Plan, desired: World) -> None:
    """Raise CloudsyncError naming what is broken."""
    broken = [*_graph(plan), *_unique(desired)]
    if broken:
        raise CloudsyncError("this is a bug in cloudsync: " + "; ".join(broken), "report it with your spec")


def _graph(plan: Plan) -> list[str]:
    ids = Counter(step.id for step in plan.steps)
    found = [f"two steps are called {one}" for one, count in ids.items() if count > 1]
    found += [f"{step.id} waits for nothing known" for step in plan.steps if set(step.waits_for) - ids.keys()]
    try:
        TopologicalSorter({step.id: step.waits_for for step in plan.steps}).prepare()
    except CycleError as error:
        found.append(f"steps wait for each other: {error.args[1]}")
    return found


def _unique(desired: World) -> list[str]:
    instances = desired.instances.values()
    claims = {
        "uuid": [one.uuid for one in instances],
        "tap": [nic.tap for one in instances for nic in one.nics],
        "MAC": [nic.mac for one in instances for nic in one.nics],
        "address": [nic.address for one in instances for nic in one.nics],
    }
    return [
        f"two instances have {kind} {value}"
        for kind, values in claims.items()
        for value, count in Counter(values).items()
        if count > 1
    ]
