"""A plan that was shown may only be carried out while it is what would be planned now."""

from dataclasses import replace

from cloudsync.model.document import Applied
from cloudsync.model.plan import Plan
from cloudsync.model.resources import Power
from cloudsync.planner.make import make_plan
from cloudsync.planner.resolve import resolve
from cloudsync.planner.stale import differences, within
from cloudsync.scheduler.place import place
from tests.laws.fleet import Fleet, decide
from tests.planner.build import changed, cloud, instance, without
from tests.planner.test_changes import settled

WHOLE = cloud(instance("web"), instance("db"))
LESS = without(WHOLE, "db")


def test_another_time_and_another_person_make_the_same_plan() -> None:
    fleet = settled(LESS)
    snapshot = fleet.observe(WHOLE)
    placed, unplaced = place(WHOLE, snapshot)
    desired = resolve(WHOLE, placed, snapshot)
    plans = [make_plan(WHOLE, desired, snapshot, placed, unplaced, Applied(by=who, at=who)) for who in ("a", "b")]
    assert plans[0] != plans[1]
    assert differences(*plans) == ()


def test_a_host_that_was_applied_to_since() -> None:
    fleet = settled(LESS)
    saved = decide(WHOLE, fleet.observe(WHOLE)).plan
    fleet.apply(saved, WHOLE)
    found = differences(saved, decide(WHOLE, fleet.observe(WHOLE)).plan)
    assert any("instance.db needs no change any more" in one for one in found)


def test_what_was_applied_since_to_the_same_host_and_has_nothing_to_do_with_it_is_no_matter() -> None:
    """Another document came and went: the number moved, nothing that the plan touches did."""
    fleet = settled(LESS)
    saved = decide(WHOLE, fleet.observe(WHOLE)).plan
    for one in (changed(LESS, "web", metadata={"a": "b"}), LESS):
        fleet.apply(decide(one, fleet.observe(one)).plan, one)
    fresh = decide(WHOLE, fleet.observe(WHOLE)).plan
    assert fresh.hosts != saved.hosts
    assert differences(saved, fresh) == ()
    fleet.apply(fresh, WHOLE)
    assert decide(WHOLE, fleet.observe(WHOLE)).plan.empty


def test_a_host_that_has_a_few_bytes_less_than_before_is_no_matter() -> None:
    """What there is to grow into follows the host's memory, which a new kernel counts anew."""
    whole = cloud(instance("web"), instance("db"), hosts=("kvm-1",))
    fleet = settled(without(whole, "db"))
    saved = decide(whole, fleet.observe(whole)).plan
    host = fleet.hosts["kvm-1"]
    host.capacity = replace(host.capacity, memory=host.capacity.memory // 256)
    fresh = decide(whole, fleet.observe(whole)).plan
    assert fresh.steps != saved.steps
    assert differences(saved, fresh) == ()


def test_a_document_that_says_something_else_now_is_told_with_its_number() -> None:
    fleet = settled(LESS)
    saved = decide(WHOLE, fleet.observe(WHOLE)).plan
    fresh = replace(saved, hosts={name: replace(host, generation=7) for name, host in saved.hosts.items()}, steps=())
    assert any("applied to since: generation 1, now 7" in one for one in differences(saved, fresh))


def test_an_instance_that_drifted_and_is_not_touched_is_left_to_another_plan() -> None:
    fleet = settled(LESS)
    saved = decide(WHOLE, fleet.observe(WHOLE)).plan
    for host in fleet.hosts.values():
        off = {uuid: replace(one, power=Power.STOPPED) for uuid, one in host.state.machines.items()}
        host.state = replace(host.state, machines=off)
    fresh = decide(WHOLE, fleet.observe(WHOLE)).plan
    assert any(change.address == "instance.web" for change in fresh.changes)
    narrowed = within(saved, fresh)
    assert differences(saved, narrowed) == ()
    assert {step.address for step in narrowed.steps} == {step.address for step in saved.steps}
    assert differences(saved, fresh) != ()


def test_another_spec_a_lost_host_and_a_machine_that_changed() -> None:
    fleet = settled(WHOLE)
    wanted = changed(WHOLE, "web", metadata={"a": "b"})
    saved = decide(wanted, fleet.observe(wanted)).plan
    assert differences(saved, replace(saved, spec_digest="other"))[0].startswith("the spec")
    host = saved.steps[0].host
    silent = replace(saved.hosts[host], status="unreachable")
    assert f"host.{host} was ready, is unreachable" in differences(saved, replace(saved, hosts={host: silent}))
    assert differences(replace(saved, hosts={}), saved)[0] == f"host.{host} was not seen when the plan was made"
    change = replace(saved.changes[0], before="another digest")
    assert differences(saved, replace(saved, changes=(change,))) == ("instance.web is not as it was",)


def test_steps_that_differ_in_anything_at_all() -> None:
    fleet = Fleet()
    saved = decide(WHOLE, fleet.observe(WHOLE)).plan
    fewer: Plan = replace(saved, steps=saved.steps[:-1])
    assert differences(saved, fewer) == ("other steps are needed",)
    waits = replace(saved.steps[-1], waits_for=())
    assert differences(saved, replace(saved, steps=(*saved.steps[:-1], waits))) == ("other steps are needed",)
