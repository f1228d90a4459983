"""Whether what was planned is still what would be done."""

from collections.abc import Mapping
from dataclasses import replace

from cloudsync.model.document import Applied
from cloudsync.model.plan import Action, Change, Plan
from cloudsync.model.resources import Instance
from cloudsync.model.snapshot import Usage
from cloudsync.model.step import CreateInstance, MoveInstance, PutDocument, Step, UpdateInstance


def differences(saved: Plan, fresh: Plan) -> tuple[str, ...]:
    """Why the saved plan may not be applied, in words; empty when it may.

    It compares the spec, the state of each touched host, and each change with the observed object behind it. `fresh` is
    without what the saved plan has nothing to do with (`within`).
    """
    found = []
    if saved.spec_digest != fresh.spec_digest:
        found.append("the spec, or a file it names, changed")
    for name in sorted({step.host for step in saved.steps}):
        before, now = saved.hosts.get(name), fresh.hosts.get(name)
        if before is None:
            found.append(f"host.{name} was not seen when the plan was made")
        elif now is None or now.status != before.status:
            found.append(f"host.{name} was {before.status}, is {now.status if now else 'not in the spec'}")
    found += _changes(_by_address(saved), _by_address(fresh))
    if not set(saved.drift) >= set(fresh.drift):
        found.append("other things drifted")
    if not found and _timeless(saved) != _timeless(fresh):
        found += _applied_since(saved, fresh) or ["other steps are needed"]
    return tuple(found)


def within(saved: Plan, fresh: Plan) -> Plan:
    """The fresh plan without repairs of instances and hosts that the saved one does not touch: somebody changed those
    since, and nobody has seen what putting them right would do."""
    shown = {change.address for change in saved.changes} | {step.address for step in saved.steps}
    new = {one.address for one in fresh.changes if one.action is Action.REPAIR} - shown
    new |= {one.address for one in fresh.steps if isinstance(one, PutDocument)} - shown
    away = {host for host in fresh.hosts if f"host.{host}" in new}
    left = {step.id for step in fresh.steps if step.address in new}
    if any(left & set(step.waits_for) for step in fresh.steps if step.id not in left):
        return fresh
    return replace(
        fresh,
        changes=tuple(one for one in fresh.changes if one.address not in new),
        drift=tuple(one for one in fresh.drift if one.address not in new and one.host not in away),
        steps=tuple(step for step in fresh.steps if step.id not in left),
    )


def _applied_since(saved: Plan, fresh: Plan) -> list[str]:
    return [
        f"host.{name} was applied to since: generation {before.generation}, now {fresh.hosts[name].generation}"
        for name, before in sorted(saved.hosts.items())
        if name in fresh.hosts and fresh.hosts[name].generation != before.generation
    ]


def _timeless(plan: Plan) -> list[Step]:
    """The steps, but for who applies which commit when, how often the hosts were applied to before, and what they have
    for machines to grow into."""
    return [_plain(step) for step in plan.steps]


def _plain(step: Step) -> Step:
    if isinstance(step, PutDocument):
        instances = {name: _undated(one) for name, one in step.document.instances.items()}
        document = replace(step.document, applied=Applied(), generation=0, instances=instances)
        return replace(step, document=document, base=0)
    if isinstance(step, CreateInstance | UpdateInstance | MoveInstance):
        return replace(step, generation=0, most=Usage(), instance=_undated(step.instance))
    return step


def _undated(one: Instance) -> Instance:
    """What it was booted with counts, not under which apply that was seen last."""
    return replace(one, seed=replace(one.seed, commit="", at="")) if one.seed else one


def _changes(saved: Mapping[str, list[Change]], fresh: Mapping[str, list[Change]]) -> list[str]:
    words = []
    for address in sorted(saved.keys() | fresh.keys()):
        if address not in fresh:
            words.append(f"{address} needs no change any more")
        elif address not in saved:
            words.append(f"{address} needs a change now")
        elif saved[address] != fresh[address]:
            words.append(f"{address} is not as it was")
    return words


def _by_address(plan: Plan) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in plan.changes:
        found.setdefault(change.address, []).append(change)
    return found
