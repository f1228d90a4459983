"""What the hosts are known to be since the last look, and when that is enough to go by. Pure.

Rules and key pairs are the documents' business alone, and a host takes a document only in place of the very one that
is known: what else may have changed there since cannot be hurt by that, and the next look finds it.
"""

from dataclasses import replace

from cloudsync.model.plan import Plan
from cloudsync.model.snapshot import Snapshot
from cloudsync.model.step import PutDocument

_LOOKED_UP = frozenset({"user_data"})
"""Fields whose meaning follows from what a guest has done meanwhile."""


def quick(plan: Plan) -> bool:
    """Whether it can be carried out without another look."""
    fields = {field.path for change in plan.changes for field in change.fields}
    return bool(plan.steps) and not fields & _LOOKED_UP and all(isinstance(step, PutDocument) for step in plan.steps)


def after(snapshot: Snapshot, plan: Plan) -> Snapshot | None:
    """What is there once `plan` is carried out; None where only a look can tell."""
    if any(one.repaired for one in plan.drift) or not all(isinstance(step, PutDocument) for step in plan.steps):
        return None
    hosts = dict(snapshot.hosts)
    puts = (step for step in plan.steps if isinstance(step, PutDocument))
    for put in sorted(puts, key=lambda step: step.document.generation):
        hosts[put.host] = replace(hosts[put.host], document=put.document)
    return replace(snapshot, hosts=hosts)
