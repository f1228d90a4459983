"""No data disk ever goes, and none comes empty in its place, unless the plan that was applied said so of it."""

import hypothesis.strategies as st
from hypothesis import given

from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Plan
from cloudsync.model.problem import SpecError
from tests.laws.fleet import Fleet, decide
from tests.laws.journey import reach
from tests.laws.many import law
from tests.laws.settled import assert_settled
from tests.laws.worlds import journeys


def named(plan: Plan) -> set[tuple[str, str]]:
    """Instance and disk of each that it says it destroys."""
    return {(one.address, disk) for one in plan.destroys for disk in one.disks if disk != "root"}


def owners(fleet: Fleet) -> dict[str, tuple[str, str]]:
    """Instance and name of each data disk, as the hosts have recorded it."""
    documents = [host.state.document for host in fleet.hosts.values() if host.state.document]
    every = (one for document in documents for one in document.instances.values())
    return {disk.id: (f"instance.{one.name}", disk.name) for one in every for disk in one.disks}


def applied(fleet: Fleet, cloud: Cloud, cut: int | None, breaks: int | None) -> None:
    """Plan and apply, and look at every data disk that somebody had."""
    try:
        plan = decide(cloud, fleet.observe(cloud)).plan
    except SpecError:
        return
    before, had = fleet.data(), owners(fleet)
    renamed = {one.address: f.before for one in plan.changes for f in one.fields if f.path == "name"}
    said = {(f"instance.{renamed[where]}" if where in renamed else where, disk) for where, disk in named(plan)}
    if breaks is not None and plan.steps:
        step = plan.steps[breaks % len(plan.steps)]
        fleet.hosts[step.host].breaks = step.id
    fleet.apply(plan, cloud, stop_after=cut)
    for host in fleet.hosts.values():
        host.breaks = None
    after = fleet.data()
    for disk, made in before.items():
        if disk in had and had[disk] not in said:
            assert after.get(disk) == made, (disk, had[disk], plan.changes, plan.steps)


@law
@given(journeys(3), st.one_of(st.none(), st.integers(0, 12)), st.one_of(st.none(), st.integers(0, 40)))
def test_no_data_disk_goes_unsaid(stops: tuple[Cloud, ...], cut: int | None, breaks: int | None) -> None:
    fleet = Fleet()
    reach(fleet, stops[0])
    for goal in stops[1:]:
        applied(fleet, goal, cut, breaks)
        applied(fleet, goal, None, None)
    assert_settled(fleet, reach(fleet, stops[-1]))
