"""Parts of a plan: what goes and what is held, one rule each; tests/laws has them in every world."""

from dataclasses import replace

import pytest

from cloudsync.model.cloud import Cloud, Expectation, Host, WantedNic
from cloudsync.model.plan import Action, Change, Disruption, Plan
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.resources import Keypair, Power
from cloudsync.model.snapshot import Drift, Usage
from cloudsync.planner.narrow import TOGETHER, quiet
from cloudsync.planner.target import aimed
from cloudsync.render.plan_text import text
from cloudsync.scheduler.standing import standing
from tests.laws.fleet import Fleet, decide
from tests.laws.test_narrowed import part_of
from tests.planner.build import ADMIN, HTTPS, LARGE, changed, cloud, group, image, instance, network, without
from tests.planner.test_changes import settled

WHOLE = cloud(instance("web", groups=("default", "web")), instance("db"), hosts=("kvm-1",))


def quietly(fleet: Fleet, wanted: Cloud) -> Plan:
    snapshot = fleet.observe(wanted)
    return part_of(wanted, snapshot, decide(wanted, snapshot).plan, quiet)


def only(fleet: Fleet, wanted: Cloud, *targets: str) -> Plan:
    snapshot = fleet.observe(wanted)
    whole = decide(wanted, snapshot).plan
    return aimed(wanted, standing(wanted, snapshot), whole, targets, lambda one: decide(one, snapshot).plan)


def made(plan: Plan) -> list[str]:
    return [change.address for change in plan.changes]


def held(plan: Plan) -> list[str]:
    return [one.change.address for one in plan.held]


@pytest.mark.parametrize(
    ("action", "disruption", "address", "goes"),
    [
        (Action.CREATE, Disruption.NONE, "instance.web", True),
        (Action.UPDATE, Disruption.LIVE, "instance.web", True),
        (Action.UPDATE, Disruption.NEXT_BOOT, "instance.web", False),
        (Action.UPDATE, Disruption.RESTART, "instance.web", False),
        (Action.UPDATE, Disruption.DESTROYS_DATA, "instance.web", False),
        (Action.RENAME, Disruption.NONE, "instance.web", True),
        (Action.MOVE, Disruption.NONE, "instance.web", False),
        (Action.REPLACE, Disruption.NONE, "instance.web", False),
        (Action.DELETE, Disruption.NONE, "instance.web", False),
        (Action.DELETE, Disruption.NONE, "keypair.bob", True),
        (Action.UPDATE, Disruption.LIVE, "group.web", True),
    ],
)
def test_what_nobody_notices(action: Action, disruption: Disruption, address: str, goes: bool) -> None:
    assert quiet(Change(address=address, action=action, disruption=disruption)) is goes


def test_a_rule_goes_where_a_restart_waits_and_says_so() -> None:
    fleet = settled(WHOLE)
    wanted = changed(WHOLE, "db", flavor=LARGE, groups=("default", "web"))
    wanted = replace(wanted, groups={**wanted.groups, "web": group("web", HTTPS, ADMIN)})
    plan = quietly(fleet, wanted)
    assert (made(plan), held(plan)) == (["group.web"], ["instance.db"])
    assert "held: waiting; would be: restart" in text(plan, False)
    assert {step.kind for step in plan.steps} == {"put-document"}
    fleet.apply(plan, wanted)
    document = fleet.hosts["kvm-1"].state.document
    assert document
    assert (document.instances["db"].flavor, document.instances["db"].groups) == ("small", ("default",))
    assert made(decide(wanted, fleet.observe(wanted)).plan) == ["instance.db"]


def test_all_of_a_plan_that_disturbs_nothing_is_that_plan() -> None:
    fleet = settled(WHOLE)
    wanted = replace(WHOLE, groups={**WHOLE.groups, "web": group("web", ADMIN)})
    assert quietly(fleet, wanted) == decide(wanted, fleet.observe(wanted)).plan


def test_a_guest_that_stopped_by_itself_is_started() -> None:
    fleet = settled(WHOLE)
    host = fleet.hosts["kvm-1"]
    off = {uuid: replace(one, power=Power.CRASHED) for uuid, one in host.state.machines.items()}
    host.state = replace(host.state, machines=off)
    plan = quietly(fleet, WHOLE)
    assert ({step.kind for step in plan.steps}, plan.held) == ({"start-instance"}, ())


def test_a_network_that_changes_under_one_that_waits_waits_with_all_that_change_in_it() -> None:
    fleet = settled(WHOLE)
    wanted = replace(WHOLE, networks={"default": network(gateway="10.20.0.2")})
    wanted = replace(wanted, instances={**wanted.instances, "new": instance("new")})
    wanted = replace(wanted, groups={**wanted.groups, "web": group("web", ADMIN)})
    plan = quietly(fleet, wanted)
    assert made(plan) == ["group.web"]
    assert held(plan) == ["instance.db", "instance.new", "instance.web", "network.default"]


def test_an_address_that_one_that_waits_has_is_not_given_to_another() -> None:
    there = cloud(instance("old", floating="203.0.113.9", address="10.20.0.50"), instance("db"), hosts=("kvm-1",))
    fleet = settled(there)
    for wanted in (instance("new", floating="203.0.113.9"), instance("new", address="10.20.0.50")):
        goal = replace(there, instances={**without(there, "old").instances, "new": wanted})
        goal = replace(goal, groups={**goal.groups, "web": group("web", ADMIN)})
        plan = quietly(fleet, goal)
        assert (made(plan), held(plan)) == (["group.web"], ["instance.new", "instance.old"])


def test_what_one_that_waits_has_of_the_host_is_not_given_away() -> None:
    """Its room: what is deleted later still has it."""
    host = Host(name="kvm-1", uri="sim:", reserved=Usage(vcpus=62))
    there = cloud(instance("a", flavor=LARGE), instance("b", flavor=LARGE), hosts=(host,))
    fleet = settled(there)
    goal = replace(there, instances={**without(there, "a").instances, "c": instance("c", flavor=LARGE)})
    plan = quietly(fleet, goal)
    assert (plan.steps, held(plan)) == ((), ["instance.a", "instance.c"])
    assert [one.instance for one in plan.unplaced] == ["c"]


def test_a_key_that_only_one_that_waits_has_stays_with_it() -> None:
    bob = Keypair(name="bob", public_key="ssh-ed25519 AAAAbob bob")
    there = replace(changed(WHOLE, "db", keypairs=("bob",)), keypairs={**WHOLE.keypairs, "bob": bob})
    fleet = settled(there)
    wanted = changed(WHOLE, "db", flavor=LARGE)
    plan = quietly(fleet, wanted)
    assert (plan.steps, held(plan)) == ((), ["instance.db", "keypair.bob"])


def test_nothing_goes_that_would_break_an_expectation_before_the_rest_has_come() -> None:
    """`db` leaves the group by a restart, and the group is opened at once: in between, db would be open."""
    there = changed(WHOLE, "db", groups=("default", "web"))
    there = replace(there, groups={**there.groups, "web": group("web")})
    fleet = settled(there)
    wanted = replace(changed(there, "db", groups=("default",), flavor=LARGE), groups=WHOLE.groups)
    deny = Expectation(key="expect/0", allow=False, source="internet", target="instance.db", protocol="tcp", port=443)
    assert made(quietly(fleet, wanted)) == ["group.web"]
    plan = quietly(fleet, replace(wanted, expectations=(deny,)))
    assert (plan.empty, plan.broken, TOGETHER in plan.warnings) == (True, (), True)


def test_a_target_takes_along_what_it_refers_to_and_nothing_else() -> None:
    fleet = settled(WHOLE)
    carol = Keypair(name="carol", public_key="ssh-ed25519 AAAAcarol carol")
    wanted = changed(WHOLE, "db", flavor=LARGE)
    wanted = replace(
        wanted,
        keypairs={**wanted.keypairs, "carol": carol, "dave": replace(carol, name="dave")},
        groups={**wanted.groups, "web": group("web", ADMIN), "api": group("api", HTTPS)},
        images={**wanted.images, "noble": image("noble")},
        instances={
            **wanted.instances,
            "api": instance("api", keypairs=("carol",), groups=("api",), image="noble"),
            "late": instance("late"),
        },
    )
    plan = only(fleet, wanted, "api")
    assert made(plan) == ["group.api", "image.noble", "instance.api", "keypair.carol"]
    assert held(plan) == ["group.web", "instance.db", "instance.late", "keypair.dave"]
    assert plan.targets == ("instance.api",)
    fleet.apply(plan, wanted)
    assert only(fleet, wanted, "api").empty
    assert made(only(fleet, wanted, "group.web")) == ["group.web"]


def test_a_target_may_go_and_others_stay() -> None:
    fleet = settled(WHOLE)
    plan = only(fleet, cloud(hosts=("kvm-1",)), "web")
    assert (made(plan), held(plan)) == (["instance.web"], ["instance.db"])
    fleet.apply(plan, WHOLE)
    document = fleet.hosts["kvm-1"].state.document
    assert document and list(document.instances) == ["db"]


def test_a_key_of_counted_instances_means_all_of_them() -> None:
    names = (replace(instance(f"web-{index}"), base="web", index=index) for index in (1, 2))
    plan = only(settled(without(WHOLE, "web", "db")), cloud(*names, instance("db"), hosts=("kvm-1",)), "instance.web")
    assert plan.targets == ("instance.web-1", "instance.web-2")


def test_a_target_that_is_nothing_is_refused() -> None:
    with pytest.raises(CloudsyncError, match=r"there is no instance\.wbe") as caught:
        only(settled(WHOLE), WHOLE, "wbe")
    assert "web" in caught.value.hint


def test_what_drifted_on_a_host_that_the_target_is_not_on_stays() -> None:
    there = cloud(instance("web"), instance("db", nics=(WantedNic(network="default"),)), hosts=("kvm-1", "kvm-2"))
    fleet = settled(there)
    snapshot = fleet.observe(there)
    drifted = Drift(address="group.web", host="kvm-2", message="rule tcp/443 from any is missing", remedy="restored")
    hosts = {**snapshot.hosts, "kvm-2": replace(snapshot.hosts["kvm-2"], drift=(drifted,))}
    snapshot = replace(snapshot, hosts=hosts)
    whole = decide(there, snapshot).plan
    assert whole.drift and whole.steps
    at = standing(there, snapshot)
    plan = aimed(there, at, whole, ["instance.web"], lambda one: decide(one, snapshot).plan)
    assert plan.empty
    assert aimed(there, at, whole, ["group.web"], lambda one: decide(one, snapshot).plan).steps == whole.steps
