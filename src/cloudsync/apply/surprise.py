"""What an apply really did to running machines, held against what its plan said of each: a difference is our bug.

A machine's run is the process that runs it: another number is another process. Called by the pipeline.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from cloudsync.apply.execute import Outcome
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Disruption, Plan
from cloudsync.model.step import (
    CreateInstance,
    DeleteInstance,
    MoveInstance,
    PutDocument,
    Step,
    StopInstance,
    UpdateInstance,
)

Runs = Mapping[str, Mapping[str, int]]
"""By host, then by uuid, the number of each run; hosts that could not be asked are missing."""


@dataclass(frozen=True, slots=True)
class Surprise:
    """`really` happened to `address`, and the plan had `said` something else."""

    address: str
    said: Disruption
    really: Disruption

    def __str__(self) -> str:
        what = _WORDS[self.really]
        return f"{self.address} {what}, and the plan said `{self.said.label}`"


_WORDS = {
    Disruption.NONE: "ran on",
    Disruption.MIGRATE: "came to another host",
    Disruption.RESTART: "was stopped or restarted",
}


def surprises(plan: Plan, outcome: Outcome, before: Runs, after: Runs) -> tuple[Surprise, ...]:
    """In address order. What nobody can know is passed over: what ran, or was to run, on a host that was not asked
    twice."""
    steps = _steps(plan)
    names = {uuid: found[0].address for uuid, found in steps.items()}
    documents = [step.document for step in plan.steps if isinstance(step, PutDocument)]
    names = {one.uuid: f"instance.{one.name}" for each in documents for one in each.instances.values()} | names
    twice = Counter(uuid for runs in before.values() for uuid in runs)
    found = [
        surprise
        for host, runs in before.items()
        for uuid, run in runs.items()
        # Of one that runs twice the copy goes, and the plan tells that of its host.
        if uuid in names and twice[uuid] == 1
        if (surprise := _of(plan, outcome, names[uuid], steps.get(uuid, ()), (host, uuid, run), after))
    ]
    return tuple(sorted(found, key=lambda one: one.address))


def _of(
    plan: Plan, outcome: Outcome, address: str, steps: tuple[Step, ...], was: tuple[str, str, int], after: Runs
) -> Surprise | None:
    host, uuid, run = was
    changes = [one for one in plan.changes if one.address == address]
    if not after.keys() >= {host}.union(*(one.hosts for one in changes)):
        return None
    said = max((one.disruption for one in changes), default=Disruption.NONE)
    if after[host].get(uuid) == run:
        idle = said is Disruption.RESTART and any(_restarts(step) and step.id in outcome.succeeded for step in steps)
        return Surprise(address, said, Disruption.NONE) if idle else None
    elsewhere = uuid not in after[host] and any(uuid in runs for runs in after.values())
    really = Disruption.MIGRATE if elsewhere else Disruption.RESTART
    return Surprise(address, said, really) if really > said else None


def _restarts(step: Step) -> bool:
    return isinstance(step, StopInstance) or (isinstance(step, UpdateInstance) and not step.live)


def _steps(plan: Plan) -> dict[str, tuple[Step, ...]]:
    found: dict[str, list[Step]] = {}
    for step, uuid in _touched(plan):
        found.setdefault(uuid, []).append(step)
    return {uuid: tuple(steps) for uuid, steps in found.items()}


def _touched(plan: Plan) -> Iterator[tuple[Step, str]]:
    for step in plan.steps:
        if isinstance(step, CreateInstance | UpdateInstance | MoveInstance):
            yield step, step.instance.uuid
        elif isinstance(step, StopInstance | DeleteInstance):
            yield step, step.uuid
