"""`update: {max_unavailable: N}`: who goes down when, who must be back first, and what the others' record says."""

from dataclasses import replace
from typing import Any

import pytest

from cloudsync.model.cloud import Cloud, PlacementGroup, Update, Where
from cloudsync.model.plan import Action, Disruption, Plan
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import HostStatus
from cloudsync.model.step import AwaitInstance, CreateInstance, DeleteInstance, PutDocument, Step, UpdateInstance
from cloudsync.render.plan_json import summary
from cloudsync.render.plan_text import text
from tests.laws.fleet import Fleet
from tests.laws.settled import assert_settled
from tests.planner.build import LARGE, SMALL, changed, cloud, image, instance, network, without
from tests.planner.test_changes import apply, change, plan, refused, settled

SHRUNK = replace(SMALL, memory=SMALL.memory // 2)
"""What shrinks takes a restart."""
ONE = Update()
NOBLE = {one.name: one for one in (image("debian"), image("noble"))}


def web(count: int = 3, update: Update | None = ONE, **fields: Any) -> Cloud:
    """web-1, web-2, … and nothing else."""
    wanted = [instance(f"web-{at}", base="web", index=at, update=update, **fields) for at in range(1, count + 1)]
    return cloud(*wanted, images=NOBLE)


def all_waits(made: Plan, step: Step) -> set[str]:
    """All that is over when it begins."""
    steps = {one.id: one for one in made.steps}
    found: set[str] = set()
    left = [*step.waits_for]
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += steps[one].waits_for
    return found


def of(made: Plan, kind: type[Step], name: str) -> Any:
    (step,) = (step for step in made.steps if isinstance(step, kind) and step.address == f"instance.{name}")
    return step


def test_restarts_go_one_by_one_each_after_the_last_is_back() -> None:
    fleet = settled(web())
    made = apply(fleet, web(flavor=SHRUNK))
    assert [(roll.group, roll.at_once, roll.instances) for roll in made.rolls] == [
        ("instance.web", 1, ("web-1", "web-2", "web-3"))
    ]
    for before, after in (("web-1", "web-2"), ("web-2", "web-3")):
        back = of(made, AwaitInstance, before)
        assert back.id in all_waits(made, of(made, UpdateInstance, after))
        assert of(made, UpdateInstance, before).id in back.waits_for


def test_replaces_go_one_by_one_and_the_old_ones_stay_on_record_until_their_turn() -> None:
    fleet = settled(web())
    old = {one.name: one.uuid for host in fleet.hosts.values() for one in host.state.machines.values()}
    made = apply(fleet, web(image="noble"))
    for before, after in (("web-1", "web-2"), ("web-2", "web-3")):
        back = of(made, AwaitInstance, before)
        assert back.uuid == of(made, CreateInstance, before).instance.uuid != old[before]
        assert back.id in all_waits(made, of(made, DeleteInstance, after))
    first = [step.document for step in made.steps if isinstance(step, PutDocument) and step.id.endswith("rolled-1")]
    assert {document.directory["web-1"].uuid == old["web-1"] for document in first} == {False}
    assert {document.directory["web-2"].uuid == old["web-2"] for document in first} == {True}
    there = {name: one.uuid for document in first for name, one in document.instances.items()}
    assert there["web-2"] == old["web-2"]


def test_some_go_together() -> None:
    fleet = settled(web(5))
    made = apply(fleet, web(5, update=Update(max_unavailable=2), flavor=SHRUNK))
    first = of(made, AwaitInstance, "web-1")
    assert first.id not in all_waits(made, of(made, UpdateInstance, "web-2"))
    third = all_waits(made, of(made, UpdateInstance, "web-3"))
    assert {first.id, of(made, AwaitInstance, "web-2").id} <= third


def test_without_update_all_go_at_once() -> None:
    fleet = settled(web(update=None))
    made = apply(fleet, web(update=None, flavor=SHRUNK))
    assert not made.rolls
    assert not [step for step in made.steps if isinstance(step, AwaitInstance)]


@pytest.mark.parametrize(
    "fields",
    [{"groups": ("default", "web")}, {"keypairs": ("alice",)}, {"state": Power.STOPPED}, {"metadata": {"a": "b"}}],
)
def test_what_takes_down_nothing_that_is_to_run_does_not_roll(fields: dict[str, Any]) -> None:
    fleet = settled(web())
    assert not apply(fleet, web(**fields)).rolls


def test_what_needs_no_restart_is_for_all_at_once() -> None:
    fleet = settled(web())
    made = plan(fleet, web(flavor=SHRUNK, groups=("default", "web"), keypairs=("alice",)))
    first = [step.document for step in made.steps if isinstance(step, PutDocument) and step.id.endswith("/document")]
    records = [one for document in first for one in document.instances.values()]
    assert len(records) == 3
    assert {(one.memory, one.groups, one.keypairs) for one in records} == {
        (SMALL.memory, ("default", "web"), ("alice",))
    }


def test_a_placement_group_rolls_with_all_its_members() -> None:
    group = PlacementGroup(name="g", policy="soft-anti-affinity", update=ONE)
    whole = cloud(*(instance(name, where=Where(group="g")) for name in ("a", "b")), placement_groups={"g": group})
    fleet = settled(whole)
    made = apply(fleet, changed(changed(whole, "a", flavor=SHRUNK), "b", flavor=SHRUNK))
    assert [(roll.group, roll.instances) for roll in made.rolls] == [("placement_group.g", ("a", "b"))]
    assert of(made, AwaitInstance, "a").id in all_waits(made, of(made, UpdateInstance, "b"))


def stopped(fleet: Fleet, goal: Cloud, name: str) -> Plan:
    """Carried out while a guest says nothing."""
    made = plan(fleet, goal)
    for host in fleet.hosts.values():
        host.state = replace(host.state, silent=frozenset({name}))
    outcome = fleet.apply(made, goal)
    assert [step.split("/")[1:] for step in outcome.failed] == [[f"instance.{name}", "await"]]
    return made


@pytest.mark.parametrize("fields", [{"flavor": SHRUNK}, {"image": "noble"}])
def test_the_first_that_does_not_come_back_ends_it_and_the_next_apply_goes_on(fields: dict[str, Any]) -> None:
    fleet, goal = settled(web()), web(**fields)
    stopped(fleet, goal, "web-2")
    again = plan(fleet, goal)
    assert not again.drift
    assert {one.address for one in again.changes if one.address.startswith("instance.")} == {"instance.web-3"}
    assert again.rolls[0].awaited == ("web-2",)
    assert of(again, AwaitInstance, "web-2").id in all_waits(again, of(again, AwaitInstance, "web-3"))
    running = [m.memory for host in fleet.hosts.values() for m in host.state.machines.values()]
    stopped(fleet, goal, "web-2")
    assert [m.memory for host in fleet.hosts.values() for m in host.state.machines.values()] == running
    for host in fleet.hosts.values():
        host.state = replace(host.state, silent=frozenset())
    apply(fleet, goal)


def test_what_went_before_it_ended_is_told_as_tidying_and_reaches_nobody_any_more() -> None:
    fleet = settled(web(4))
    goal = changed(changed(without(web(4), "web-4"), "web-1", flavor=SHRUNK), "web-2", flavor=SHRUNK)
    (gone,) = (one.uuid for host in fleet.hosts.values() for one in host.state.machines.values() if one.name == "web-4")
    assert any(one.action is Action.DELETE for one in stopped(fleet, goal, "web-1").changes)
    assert gone not in fleet.machines()
    again = plan(fleet, goal)
    (told,) = (one for one in again.changes if one.address == "instance.web-4")
    assert (told.action, told.disruption, told.destroys_data) == (Action.UPDATE, Disruption.NONE, False)
    assert summary(again)["remove"] == 0
    assert (again.exposure.added, again.exposure.removed) == ((), ())
    assert "web-4  record left → none" in text(again, False)
    for host in fleet.hosts.values():
        host.state = replace(host.state, silent=frozenset())
    apply(fleet, goal)


def test_old_user_data_stays_with_those_that_wait() -> None:
    """The spec has its bytes no more."""
    fleet, goal = settled(web(user_data=b"#cloud-config\n# old\n")), web(user_data=b"# new\n", image="noble")
    stopped(fleet, goal, "web-1")
    documents = [host.state.document for host in fleet.hosts.values() if host.state.document]
    waiting = {name: one for document in documents for name, one in document.instances.items()}
    assert waiting["web-3"].user_data
    assert waiting["web-3"].user_data != waiting["web-1"].user_data
    assert all(data for document in documents for data in document.user_data.values())


def power(fleet: Fleet, name: str, power: Power, **fields: Any) -> None:
    for host in fleet.hosts.values():
        for uuid, one in host.state.machines.items():
            if one.name == name:
                machines = {**host.state.machines, uuid: replace(one, power=power)}
                host.state = replace(host.state, machines=machines, **fields)


def test_what_is_down_is_brought_up_before_others_go_down() -> None:
    fleet = settled(web())
    power(fleet, "web-2", Power.CRASHED)
    made = plan(fleet, web(flavor=SHRUNK))
    (roll,) = made.rolls
    assert (roll.instances, roll.awaited) == (("web-1", "web-3"), ("web-2",))
    assert of(made, AwaitInstance, "web-2").id in all_waits(made, of(made, UpdateInstance, "web-1"))
    apply(fleet, web(flavor=SHRUNK))


def test_new_ones_come_before_old_ones_go_down() -> None:
    fleet = settled(web(2))
    made = apply(fleet, web(3, flavor=SHRUNK))
    assert made.rolls[0].awaited == ("web-3",)
    assert of(made, CreateInstance, "web-3").id in all_waits(made, of(made, UpdateInstance, "web-1"))


def test_one_that_nothing_brings_up_takes_the_place_of_one_that_may_be_down() -> None:
    fleet = settled(web(5))
    power(fleet, "web-2", Power.STOPPED)
    for host in fleet.hosts.values():
        off = {uuid for uuid, one in host.state.machines.items() if one.name == "web-2"}
        disks = {uuid: size for uuid, size in host.state.disks.items() if uuid not in off}
        host.state = replace(host.state, disks=disks)
    two = web(5, update=Update(max_unavailable=2), flavor=SHRUNK)
    assert [(roll.at_once, roll.awaited) for roll in plan(fleet, two).rolls] == [(1, ())]
    one = web(5, flavor=SHRUNK)
    (roll,) = plan(fleet, one).rolls
    assert roll.awaited == ("web-2",)
    outcome = fleet.apply(plan(fleet, one), one)
    assert [step.split("/")[1] for step in outcome.failed] == ["instance.web-2"]
    assert not [step for step in outcome.succeeded if step.endswith("/update")]


def test_one_on_a_host_that_is_silent_counts() -> None:
    fleet, goal = settled(web(4)), web(4, flavor=SHRUNK)
    where = next(name for name, host in fleet.hosts.items() if host.state.machines)
    gone = [one.name for one in fleet.hosts[where].state.machines.values()]
    fleet.unplug(where)
    made = plan(fleet, goal)
    assert made.rolls[0].awaited == tuple(sorted(gone))
    outcome = fleet.apply(made, goal)
    assert outcome.failed[0].startswith(f"{where}/instance.")
    assert not [step for step in outcome.succeeded if step.endswith("/update")]
    fleet.plug_in(where)
    apply(fleet, goal)


def test_cold_moves_wait_for_each_other_too() -> None:
    fleet = settled(web(2, where=Where(host="kvm-1")))
    made = apply(fleet, web(2, where=Where(host="kvm-2"), flavor=SHRUNK))
    assert made.rolls[0].instances == ("web-1", "web-2")
    assert change(made, "instance.web-1").disruption is Disruption.RESTART
    back = of(made, AwaitInstance, "web-1")
    move = next(step for step in made.steps if step.id == "kvm-2/instance.web-2/move")
    assert back.id in all_waits(made, move)


def test_live_moves_take_nothing_down() -> None:
    fleet = settled(web(2, where=Where(host="kvm-1")))
    assert not apply(fleet, web(2, where=Where(host="kvm-2"))).rolls


def test_replaces_that_change_their_host_roll_too() -> None:
    fleet = settled(web(3, where=Where(host="kvm-1"), image="debian"))
    made = apply(fleet, web(3, where=Where(host="kvm-2"), image="noble"))
    assert of(made, AwaitInstance, "web-1").id in all_waits(made, of(made, DeleteInstance, "web-2"))


def test_a_network_that_changes_under_all_cannot_wait() -> None:
    fleet = settled(web())
    assert "network.default changes under it" in refused(
        fleet, replace(web(), networks={"default": network("10.30.0.0/24", "10.30.0.1")})
    )
    assert "network.default changes under it" in refused(
        fleet, replace(web(), networks={"default": network(gateway="10.20.0.2")})
    )


def test_an_address_that_another_takes_over_cannot_wait() -> None:
    fleet = settled(cloud(*_pair("10.20.0.8", "10.20.0.9"), placement_groups={"g": _GROUP}))
    swapped = cloud(*_pair("10.20.0.9", "10.20.0.8"), placement_groups={"g": _GROUP})
    assert "instance.b takes its name or its address over" in refused(fleet, swapped)


_GROUP = PlacementGroup(name="g", policy="soft-affinity", update=ONE)


def _pair(one: str, other: str) -> tuple[Any, ...]:
    where = Where(group="g")
    return instance("a", address=one, where=where), instance("b", address=other, where=where)


def test_addresses_change_one_by_one() -> None:
    fleet = settled(cloud(*_pair("10.20.0.8", "10.20.0.9"), placement_groups={"g": _GROUP}))
    made = apply(fleet, cloud(*_pair("10.20.0.18", "10.20.0.19"), placement_groups={"g": _GROUP}))
    first = [step.document for step in made.steps if isinstance(step, PutDocument) and step.id.endswith("rolled-1")]
    assert {document.directory["a"].addresses for document in first} == {("10.20.0.18",)}
    assert {document.directory["b"].addresses for document in first} == {("10.20.0.9",)}
    assert {document.members["group.default"] for document in first} == {("10.20.0.18", "10.20.0.9")}


def test_a_drained_host_is_left_before_anything_rolls() -> None:
    whole = web(3)
    fleet = settled(whole)
    hosts = {**whole.hosts, "kvm-1": replace(whole.hosts["kvm-1"], state=HostStatus.DRAINED)}
    goal = replace(web(3, flavor=SHRUNK), hosts=hosts)
    made = apply(fleet, goal)
    assert len(made.rolls[0].instances) == 3
    assert_settled(fleet, goal)


def test_a_machine_that_grows_beyond_its_kind_is_still_one_of_many() -> None:
    fleet = settled(web(3))
    assert apply(fleet, changed(web(3), "web-2", flavor=LARGE)).rolls[0].instances == ("web-2",)
