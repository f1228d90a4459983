"""What a step that brings an instance to another host says."""

from dataclasses import replace

from cloudsync.model.cloud import Where
from cloudsync.model.step import MoveInstance
from tests.laws.fleet import decide
from tests.planner.build import MIB, changed, cloud, instance
from tests.planner.test_changes import settled

WHOLE = cloud(instance("web", where=Where(host="kvm-1")), bandwidth=100 * MIB)


def test_it_takes_no_more_than_the_spec_gives() -> None:
    fleet = settled(WHOLE)
    moved = changed(WHOLE, "web", where=Where(host="kvm-2"))
    steps = decide(moved, fleet.observe(moved)).plan.steps
    assert [step.bandwidth for step in steps if isinstance(step, MoveInstance)] == [100 * MIB]


def test_it_travels_by_tls_where_both_hosts_have_certificates() -> None:
    fleet = settled(WHOLE)
    moved = changed(WHOLE, "web", where=Where(host="kvm-2"))
    snapshot = fleet.observe(moved)
    assert any("in the clear" in reason for one in decide(moved, snapshot).plan.changes for reason in one.reasons)
    for having, by_tls in ((("kvm-1",), False), (("kvm-1", "kvm-2"), True)):
        hosts = {name: replace(host, tls=name in having) for name, host in snapshot.hosts.items()}
        plan = decide(moved, replace(snapshot, hosts=hosts)).plan
        assert [step.tls for step in plan.steps if isinstance(step, MoveInstance)] == [by_tls]
        assert any("in the clear" in reason for one in plan.changes for reason in one.reasons) is not by_tls
