"""A plan, or a change of the spec -> the picture of the cloud before and after it. Pure; pipeline.py asks.

What a plan does is what its documents say: those that hosts have now, and the last ones that it puts there.
"""

from collections.abc import Mapping

from cloudsync.model.cloud import Cloud
from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Action, Plan
from cloudsync.model.snapshot import Snapshot
from cloudsync.model.step import PutDocument
from cloudsync.planner.between import scenes
from cloudsync.planner.exposed import left, newest
from cloudsync.planner.supposed import renamed
from cloudsync.reach.picture import Picture, View, picture
from cloudsync.reach.recorded import of_documents
from cloudsync.reach.scene import Port, Scene
from cloudsync.scheduler.homes import find_homes
from cloudsync.scheduler.standing import standing

_SAME_ONE = (Action.UPDATE, Action.REPLACE, Action.MOVE, Action.RENAME)


def of_plan(plan: Plan, cloud: Cloud, snapshot: Snapshot) -> Picture:
    """Instances on hosts that cannot be asked stay as they are."""
    states = standing(cloud, snapshot)
    homes = find_homes(cloud, states)
    away = [(name, home.addresses) for name, home in homes.of.items() if not home.known]
    before = {name: host.document for name, host in states.items() if host.reachable and host.document}
    after = before | {step.host: step.document for step in plan.steps if isinstance(step, PutDocument)}
    # A rename that is not part of this plan has not happened.
    known = latest.directory if (latest := newest(after.values())) else {}
    names = {home.uuid: name for name, home in homes.of.items() if name in known or not home.known}
    # Those on hosts that cannot be asked stay under the rules that were applied last.
    staying = tuple(left(cloud, away, list(before.values())))
    views = [_recorded(list(documents.values()), names, staying) for documents in (before, after)]
    return picture(cloud.name, views[0], views[1], _changed(plan))


def _recorded(documents: list[HostDocument], names: Mapping[str, str], staying: tuple[Port, ...]) -> View:
    latest = newest(documents)
    if latest is None:
        return View(scene=Scene(()), groups=())
    scene = of_documents(documents, names)
    return View(
        scene=Scene((*scene.ports, *staying), scene.networks, scene.infra, scene.untracked),
        groups=latest.groups,
        hosts=[document.host for document in documents if not document.released],
        homes={names.get(one.uuid, name): one.host for name, one in latest.directory.items()},
    )


def of_change(plan: Plan, base: Cloud, head: Cloud, heirs: Mapping[str, str]) -> Picture:
    """`heirs` maps a name of `head` to the one of `base` that it has or had. Nobody was asked where instances are: only
    what the spec binds to a host is on it."""
    then, now = scenes(base, head, heirs)
    names = renamed(heirs)
    before = View(
        scene=then,
        groups=base.groups,
        homes={names.get(name, name): host for name, host in _bound(base).items()},
        asked=False,
    )
    after = View(scene=now, groups=head.groups, homes=_bound(head), asked=False)
    return picture(head.name, before, after, _changed(plan))


def _bound(cloud: Cloud) -> dict[str, str]:
    only = next(iter(cloud.hosts)) if len(cloud.hosts) == 1 else None
    found = {name: one.where.host or only for name, one in cloud.instances.items()}
    return {name: host for name, host in found.items() if host}


def _changed(plan: Plan) -> set[str]:
    return {
        change.address.removeprefix("instance.")
        for change in plan.changes
        if change.address.startswith("instance.") and change.action in _SAME_ONE
    }
