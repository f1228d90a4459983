"""Whether what was planned is still what would be done."""

from collections.abc import Mapping

from cloudsync.model.plan import Change, Plan


def differences(saved: Plan, fresh: Plan) -> tuple[str, ...]:
    """Why the saved plan may not be applied, in words; empty when it may.

    It compares the spec, each touched host's generation and digest, and each change with the observed object behind it.
    """
    found = []
    if saved.spec_digest != fresh.spec_digest:
        found.append("the spec, or a file it names, changed")
    for name in sorted({step.host for step in saved.steps}):
        before, now = saved.hosts[name], fresh.hosts.get(name)
        if now is None or now.status != before.status:
            found.append(f"host.{name} was {before.status}, is {now.status if now else 'not in the spec'}")
        elif (now.generation, now.digest) != (before.generation, before.digest):
            found.append(f"host.{name} was applied to since: generation {before.generation}, now {now.generation}")
    found += _changes(_by_address(saved), _by_address(fresh))
    if set(saved.drift) != set(fresh.drift):
        found.append("other things drifted")
    if not found and [step.id for step in saved.steps] != [step.id for step in fresh.steps]:
        found.append("other steps are needed")
    return tuple(found)


def _changes(saved: Mapping[str, Change], fresh: Mapping[str, Change]) -> list[str]:
    words = []
    for address in sorted(saved.keys() | fresh.keys()):
        if address not in fresh:
            words.append(f"{address} needs no change any more")
        elif address not in saved:
            words.append(f"{address} needs a change now")
        elif saved[address] != fresh[address]:
            words.append(f"{address} is not as it was")
    return words


def _by_address(plan: Plan) -> dict[str, Change]:
    return {change.address: change for change in plan.changes}
