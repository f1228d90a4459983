"""What an apply did to machines that ran, held against what its plan said."""

from dataclasses import replace

import pytest

from cloudsync.apply.execute import Outcome
from cloudsync.apply.surprise import Surprise, surprises
from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Disruption, Plan
from cloudsync.model.step import PutDocument
from tests.laws.fleet import Fleet, decide
from tests.planner.build import changed, cloud, instance, without
from tests.planner.test_changes import settled
from tests.planner.test_moves import moved

WHOLE = cloud(instance("web"), instance("db"))
Runs = dict[str, dict[str, int]]


def runs(fleet: Fleet, whole: Cloud) -> Runs:
    return {host: dict(there) for host, there in fleet.observe(whole).runs.items()}


def applied(fleet: Fleet, whole: Cloud) -> tuple[Plan, Outcome, Runs, Runs]:
    before = runs(fleet, whole)
    plan = decide(whole, fleet.observe(whole)).plan
    outcome = fleet.apply(plan, whole)
    assert not outcome.failed
    return plan, outcome, before, runs(fleet, whole)


@pytest.mark.parametrize(
    "wanted",
    [
        changed(WHOLE, "web", metadata={"a": "b"}),
        changed(WHOLE, "web", groups=("default", "web")),
        changed(WHOLE, "web", flavor=replace(WHOLE.instances["web"].flavor, name="big", memory=1 << 30)),
        without(WHOLE, "db"),
    ],
)
def test_what_is_done_as_planned_is_no_surprise(wanted: Cloud) -> None:
    fleet = settled(WHOLE)
    done = applied(fleet, wanted)
    assert done[0].steps
    assert surprises(*done) == ()


def test_a_machine_that_was_to_run_on_and_did_not() -> None:
    plan, outcome, before, after = applied(settled(WHOLE), changed(WHOLE, "web", metadata={"a": "b"}))
    document = next(step.document for step in plan.steps if isinstance(step, PutDocument))
    host, uuid = document.host, document.instances["web"].uuid
    restarted = {**after, host: {**after[host], uuid: 99}}
    (found,) = surprises(plan, outcome, before, restarted)
    assert (found.said, found.really) == (Disruption.NONE, Disruption.RESTART)
    assert str(found) == f"{found.address} was stopped or restarted, and the plan said `none`"
    gone = {**after, host: {one: run for one, run in after[host].items() if one != uuid}}
    assert surprises(plan, outcome, before, gone) == (found,)
    elsewhere = {**gone, "another": {uuid: 1}}
    assert surprises(plan, outcome, before, elsewhere) == (replace(found, really=Disruption.MIGRATE),)
    assert surprises(plan, outcome, before, {}) == ()


def test_a_restart_that_was_announced_and_did_not_happen() -> None:
    smaller = replace(WHOLE.instances["web"].flavor, name="less", memory=64 << 20)
    plan, outcome, before, _ = applied(settled(WHOLE), changed(WHOLE, "web", flavor=smaller))
    expected = Surprise("instance.web", Disruption.RESTART, Disruption.NONE)
    assert surprises(plan, outcome, before, before) == (expected,)
    assert surprises(plan, Outcome((), outcome.succeeded, ()), before, before) == ()


def test_of_one_that_ran_twice_the_copy_may_go() -> None:
    plan, outcome, before, after = applied(settled(WHOLE), changed(WHOLE, "web", metadata={"a": "b"}))
    uuid = next(uuid for there in after.values() for uuid in there)
    assert surprises(plan, outcome, {**before, "another": {uuid: 5}}, {**after, "another": {}}) == ()


def test_of_one_that_moves_to_a_host_that_cannot_be_asked_nobody_knows() -> None:
    fleet, wanted = moved()
    plan, outcome, before, after = applied(fleet, wanted)
    (change,) = (one for one in plan.changes if one.address == "instance.web")
    assert (change.disruption, set(change.hosts)) == (Disruption.MIGRATE, {"kvm-1", "kvm-2"})
    (uuid,) = before["kvm-1"].keys() & after["kvm-2"].keys()
    less = {one: run for one, run in after["kvm-2"].items() if one != uuid}
    assert [one.really for one in surprises(plan, outcome, before, {**after, "kvm-2": less})] == [Disruption.RESTART]
    assert surprises(plan, outcome, before, {host: runs for host, runs in after.items() if host != "kvm-2"}) == ()
