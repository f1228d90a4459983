"""Whether what was planned is still what would be done."""

from collections.abc import Mapping
from dataclasses import replace

from cloudsync.model.document import Applied
from cloudsync.model.plan import Change, Plan
from cloudsync.model.step import PutDocument, Step


def differences(saved: Plan, fresh: Plan) -> tuple[str, ...]:
    """Why the saved plan may not be applied, in words; empty when it may.

    It compares the spec, each touched host's generation and digest, and each change with the observed object behind it.
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
        elif (now.generation, now.digest) != (before.generation, before.digest):
            found.append(f"host.{name} was applied to since: generation {before.generation}, now {now.generation}")
    found += _changes(_by_address(saved), _by_address(fresh))
    if set(saved.drift) != set(fresh.drift):
        found.append("other things drifted")
    if not found and _timeless(saved) != _timeless(fresh):
        found.append("other steps are needed")
    return tuple(found)


def _timeless(plan: Plan) -> list[Step]:
    """The steps, but for who applies which commit when."""
    return [
        replace(step, document=replace(step.document, applied=Applied())) if isinstance(step, PutDocument) else step
        for step in plan.steps
    ]


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
