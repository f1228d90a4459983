"""Getting a fleet from one world to another as a person would: what is refused goes through a delete first."""

from dataclasses import replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Plan
from cloudsync.model.problem import SpecError
from tests.laws.fleet import Fleet, decide


def reach(fleet: Fleet, cloud: Cloud) -> Cloud:
    """Bring the fleet to `cloud`; returns the cloud that it has come to, without the instances that have no place."""
    cloud = possible(fleet, cloud)
    plan = decide(cloud, fleet.observe(cloud)).plan
    outcome = fleet.apply(plan, cloud)
    assert not outcome.failed, fleet.failures[-1]
    assert not outcome.skipped
    return cloud


def possible(fleet: Fleet, cloud: Cloud) -> Cloud:
    """The cloud less what has no place; instances whose change is refused are removed from the fleet first."""
    try:
        plan = decide(cloud, fleet.observe(cloud)).plan
    except SpecError:
        nothing = replace(cloud, instances={})
        fleet.apply(decide(nothing, fleet.observe(nothing)).plan, nothing)
        plan = decide(cloud, fleet.observe(cloud)).plan
    return without_unplaced(cloud, plan)


def without_unplaced(cloud: Cloud, plan: Plan) -> Cloud:
    """Taking some away can only make room: one pass is enough but for affinity. What cannot move stays."""
    gone = {one.instance for one in plan.homeless}
    return replace(cloud, instances={name: one for name, one in cloud.instances.items() if name not in gone})
