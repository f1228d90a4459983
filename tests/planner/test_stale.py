"""A plan that was shown may only be carried out while it is what would be planned now."""

from dataclasses import replace

from cloudsync.model.document import Applied
from cloudsync.model.plan import Plan
from cloudsync.planner.make import make_plan
from cloudsync.planner.resolve import resolve
from cloudsync.planner.stale import differences
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
    assert any("applied to since: generation 1, now 2" in one for one in found)
    assert any("instance.db needs no change any more" in one for one in found)


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
