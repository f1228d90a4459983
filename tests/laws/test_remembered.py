"""What a watch remembers of hosts after a plan that only put documents is, in every world, what a look would show."""

from dataclasses import replace

from hypothesis import event, given

from cloudsync.model import wire
from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.snapshot import Snapshot
from cloudsync.watch.memory import after, quick
from tests.laws.fleet import Fleet, decide
from tests.laws.journey import reach
from tests.laws.many import law
from tests.laws.worlds import journeys


def edited(cloud: Cloud, other: Cloud) -> Cloud:
    """With the rules, keys and metadata that another world has for the same names."""
    groups = {name: other.groups.get(name, one) for name, one in cloud.groups.items()}
    # Some remotes of the other world may not be here.
    known = {f"group.{name}" for name in cloud.groups} | {f"network.{name}" for name in cloud.networks}
    groups = {
        name: replace(one, rules=tuple(rule for rule in one.rules if "." not in rule.remote or rule.remote in known))
        for name, one in groups.items()
    }
    keypairs = {name: other.keypairs.get(name, one) for name, one in cloud.keypairs.items()}
    instances = {
        name: replace(one, metadata=other.instances[name].metadata) if name in other.instances else one
        for name, one in cloud.instances.items()
    }
    return replace(cloud, groups=groups, keypairs=keypairs, instances=instances)


@law
@given(journeys(3))
def test_what_is_remembered_is_what_a_look_would_show(stops: tuple[Cloud, ...]) -> None:
    start, other, end = stops
    fleet = Fleet()
    start = reach(fleet, start)
    goal = edited(start, other)
    snapshot = fleet.observe(goal)
    plan = decide(goal, snapshot).plan
    event(f"quick {quick(plan)}")
    if not quick(plan):
        return
    outcome = fleet.apply(plan, goal)
    assert not outcome.failed, fleet.failures[-1]
    remembered = after(snapshot, plan)
    assert remembered is not None
    assert decide(goal, remembered).plan.empty
    # Another word about the hosts is none that anything is remembered for.
    for cloud in (start, replace(end, hosts=start.hosts)):
        assert _decided(cloud, remembered) == _decided(cloud, fleet.observe(cloud))


def _decided(cloud: Cloud, snapshot: Snapshot) -> str:
    try:
        return wire.digest(decide(cloud, snapshot).plan)
    except CloudsyncError as error:
        return str(error)
