"""What a step that brings an instance to another host says."""

from cloudsync.model.cloud import Where
from cloudsync.model.plan import MoveInstance
from tests.laws.fleet import decide
from tests.planner.build import MIB, changed, cloud, instance
from tests.planner.test_changes import settled

WHOLE = cloud(instance("web", where=Where(host="kvm-1")), bandwidth=100 * MIB)


def test_it_takes_no_more_than_the_spec_gives() -> None:
    fleet = settled(WHOLE)
    moved = changed(WHOLE, "web", where=Where(host="kvm-2"))
    steps = decide(moved, fleet.observe(moved)).plan.steps
    assert [step.bandwidth for step in steps if isinstance(step, MoveInstance)] == [100 * MIB]
