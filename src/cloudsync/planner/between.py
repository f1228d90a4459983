"""Two versions of a cloud -> what becomes reachable, what is expected, and the changes, as a plan that nobody can carry
out. Pure; pipeline.py gives it the plan between the supposed two.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Action, Change, Exposure, Plan
from cloudsync.model.problem import CloudsyncError
from cloudsync.planner.exposed import untold
from cloudsync.planner.folded import fold
from cloudsync.planner.grounds import notes
from cloudsync.planner.mass import most
from cloudsync.planner.supposed import Supposed, renamed
from cloudsync.planner.told import held, told
from cloudsync.reach.expect import check
from cloudsync.reach.exposure import exposure as exposed
from cloudsync.reach.scene import Scene
from cloudsync.reach.wanted import of_cloud


def between(plan: Plan, base: Cloud, head: Cloud, supposed: Supposed) -> Plan:
    """`plan` leads from the supposed base to the supposed head, which may lack what is the same in both."""
    changes = told(plan, base, head, supposed)
    exposure = _exposure(base, head, supposed.heirs) if changes else Exposure()
    expected = check(head, of_cloud(head), decided=False) if head.expectations else ()
    return Plan(
        cloud=head.name,
        commit=head.commit,
        spec_digest=head.digest,
        changes=changes,
        exposure=exposure,
        expectations=expected,
        warnings=untold(exposure),
        notes=tuple(notes(base, head)),
        rolls=plan.rolls,
        mass=most(head, _fates(base, supposed, changes)),
        held=held(plan, base, head, supposed),
    )


def _exposure(base: Cloud, head: Cloud, heirs: Mapping[str, str]) -> Exposure:
    found = fold(*_clouds(base, head, heirs))
    return exposed(of_cloud(found.base), of_cloud(found.head), found.members)


def _fates(base: Cloud, supposed: Supposed, changes: Iterable[Change]) -> Iterator[tuple[str, bool]]:
    """What is there, by the names that the plan has for it, and whether it goes."""
    gone = {one.address for one in changes if one.action in (Action.DELETE, Action.REPLACE)}
    names = renamed(supposed.heirs)
    for old in base.instances:
        name = names.get(old, old)
        yield name, f"instance.{name}" in gone


def confirm_same(base: Cloud, head: Cloud) -> None:
    """CloudsyncError where no host would take the one after the other."""
    if base.name != head.name:
        raise CloudsyncError(
            f"the cloud's name changes from {base.name} to {head.name}: its hosts would refuse another's spec",
            f"keep the name, or destroy {base.name} first",
        )


def scenes(base: Cloud, head: Cloud, heirs: Mapping[str, str]) -> tuple[Scene, Scene]:
    """Before and after. Addresses that are not written are somewhere in their subnets; who is renamed is the same."""
    then, now = _clouds(base, head, heirs)
    return of_cloud(then), of_cloud(now)


def _clouds(base: Cloud, head: Cloud, heirs: Mapping[str, str]) -> tuple[Cloud, Cloud]:
    names = renamed(heirs)
    called = ((names.get(name, name), one) for name, one in base.instances.items())
    instances = {name: one if one.name == name else replace(one, name=name) for name, one in called}
    then = replace(base, instances=instances)
    return then, _without_paused(head, then)


def _without_paused(head: Cloud, then: Cloud) -> Cloud:
    """What is paused is as it was, or not there."""
    if not head.paused:
        return head
    kept = {
        name: one
        for name, one in then.instances.items()
        if one.base in head.paused
        and head.groups.keys() >= set(one.groups)
        and head.networks.keys() >= {nic.network for nic in one.nics}
    }
    others = {name: one for name, one in head.instances.items() if one.base not in head.paused}
    return replace(head, instances=dict(sorted({**others, **kept}.items())))
