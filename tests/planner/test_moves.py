"""Instances that come to another host: who is told when, what is done in which order, and what a cut-off move left."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from cloudsync.model.cloud import Cloud, Host, Where
from cloudsync.model.plan import Action, Disruption, Plan
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import HostStatus, Usage
from cloudsync.model.step import DeleteInstance, MoveInstance, PutDocument
from cloudsync.scheduler.transit import transit
from tests.laws.fleet import Fleet, decide
from tests.laws.settled import assert_settled
from tests.planner.build import LARGE, changed, cloud, instance
from tests.planner.test_changes import apply, change, plan, refused, settled

HOSTS = ("kvm-1", "kvm-2", "kvm-3")


def pinned(host: str, **fields: Any) -> Cloud:
    return cloud(instance("web", where=Where(host=host), **fields), instance("db"), hosts=HOSTS)


def moved(**fields: Any) -> tuple[Fleet, Cloud]:
    """A settled fleet with web on kvm-1, and the spec that wants it on kvm-2."""
    return settled(pinned("kvm-1")), pinned("kvm-2", **fields)


def puts(made: Plan, host: str) -> list[PutDocument]:
    return [step for step in made.steps if isinstance(step, PutDocument) and step.host == host]


def test_one_that_runs_moves_live() -> None:
    fleet, goal = moved()
    made = apply(fleet, goal)
    one = change(made, "instance.web")
    assert (one.action, one.disruption, one.destroys_data) == (Action.MOVE, Disruption.MIGRATE, False)
    assert one.fields[0].path == "host"
    assert (one.fields[0].before, one.fields[0].after) == ("kvm-1", "kvm-2")
    assert set(one.hosts) == {"kvm-1", "kvm-2"}
    (step,) = (step for step in made.steps if isinstance(step, MoveInstance))
    assert (step.source, step.host, step.live) == ("kvm-1", "kvm-2", True)


@pytest.mark.parametrize(
    ("fields", "disruption"),
    [({"flavor": LARGE}, Disruption.RESTART), ({"state": Power.STOPPED}, Disruption.RESTART)],
)
def test_one_that_changes_besides_is_carried_over_while_it_is_off(
    fields: dict[str, Any], disruption: Disruption
) -> None:
    fleet, goal = moved(**fields)
    made = apply(fleet, goal)
    assert change(made, "instance.web").disruption is disruption
    (step,) = (step for step in made.steps if isinstance(step, MoveInstance))
    assert not step.live


def test_the_target_knows_first_and_everybody_at_once_after() -> None:
    """Meanwhile it lives on the source, which knows the way on."""
    fleet, goal = moved()
    made = plan(fleet, goal)
    source, target, other = (puts(made, host) for host in HOSTS)
    assert source[0].document.leaving == {"web": "kvm-2"}
    assert "web" in source[0].document.instances
    assert "web" in target[0].document.instances
    assert {one.document.directory["web"].host for one in (source[0], target[0])} == {"kvm-1"}
    (step,) = (step for step in made.steps if isinstance(step, MoveInstance))
    assert {source[0].id, target[0].id} <= set(step.waits_for)
    for put in (source[1], target[1], *other):
        assert step.id in put.waits_for
        assert put.document.directory["web"].host == "kvm-2"
        assert not put.document.leaving
    assert "web" not in source[1].document.instances
    (delete,) = (step for step in made.steps if isinstance(step, DeleteInstance))
    assert (delete.host, set(delete.waits_for)) == ("kvm-1", {step.id, source[1].id})


def test_a_drained_host_is_emptied_one_by_one() -> None:
    whole = cloud(*(instance(f"i{at}", where=Where(zone="a")) for at in range(3)), hosts=_zoned(HostStatus.READY))
    fleet = settled(whole)
    goal = replace(whole, hosts={one.name: one for one in _zoned(HostStatus.DRAINED)})
    made = apply(fleet, goal)
    assert not fleet.hosts["kvm-1"].state.machines
    assert not fleet.hosts["kvm-1"].state.disks
    turns = [step for step in made.steps if isinstance(step, MoveInstance)]
    assert all(before.id in after.waits_for for before, after in pairwise(turns))


def _zoned(state: HostStatus) -> tuple[Host, ...]:
    first = Host(name="kvm-1", uri="sim:", zone="a", reserved=Usage())
    return replace(first, state=state), replace(first, name="kvm-2"), replace(first, name="kvm-3", zone="b")


def test_one_that_has_nowhere_to_go_stays_and_is_named() -> None:
    whole = cloud(instance("web"), hosts=("kvm-1",))
    fleet = settled(whole)
    drained = replace(whole, hosts={"kvm-1": replace(whole.hosts["kvm-1"], state=HostStatus.DRAINED)})
    made = plan(fleet, drained)
    assert [one.instance for one in made.unplaced] == ["web"]
    assert "drained" in made.unplaced[0].refusals["kvm-1"]
    assert (made.homeless, made.unplaced[0].host) == ((), "kvm-1")
    assert not made.steps


def test_one_that_cannot_move_keeps_nothing_else_from_being_done() -> None:
    """It stays as it is but for where it is; what has no place at all is another matter."""
    whole = cloud(instance("fat", where=Where(host="kvm-1")), hosts=HOSTS[:2])
    fleet = settled(whole)
    goal = cloud(instance("fat", where=Where(host="kvm-2"), keypairs=("alice",)), instance("web"), hosts=HOSTS[:2])
    cordoned = replace(goal.hosts["kvm-2"], state=HostStatus.CORDONED)
    made = apply(fleet, replace(goal, hosts={**goal.hosts, "kvm-2": cordoned}))
    assert [(one.instance, one.host) for one in made.staying] == [("fat", "kvm-1")]
    assert dict(made.staying[0].refusals) == {"kvm-1": "the spec says host.kvm-2", "kvm-2": "cordoned"}
    assert not made.homeless
    assert change(made, "instance.fat").action is Action.UPDATE
    assert change(made, "instance.web").action is Action.CREATE


def test_one_whose_disk_has_lost_its_name_stays_where_its_data_is() -> None:
    fleet, goal = moved()
    fleet.hosts["kvm-1"].state = replace(fleet.hosts["kvm-1"].state, disks={}, bases={})
    assert "its disk is gone" in refused(fleet, goal)


def test_its_floating_address_is_let_go_before_it_is_taken() -> None:
    fleet = settled(pinned("kvm-1", floating="203.0.113.10"))
    made = apply(fleet, pinned("kvm-2", floating="203.0.113.10"))
    source, target = puts(made, "kvm-1"), puts(made, "kvm-2")
    assert [put.document.instances["web"].floating for put in target] == [(), ("203.0.113.10",)]
    assert source[1].id in target[1].waits_for


def test_what_a_move_that_was_cut_off_left_on_the_target_is_not_taken_for_the_instance() -> None:
    """The source is silent: it may run there."""
    fleet, goal = moved()
    made = plan(fleet, goal)
    prepared = next(at for at, step in enumerate(made.steps) if isinstance(step, MoveInstance))
    assert prepared
    step = next(step for step in made.steps if isinstance(step, MoveInstance))
    fleet.hosts["kvm-2"].breaks = step.id
    fleet.apply(made, goal)
    assert step.instance.uuid in fleet.hosts["kvm-2"].state.disks
    snapshot = fleet.observe(goal)
    silent = replace(snapshot.hosts["kvm-1"], status=HostStatus.UNREACHABLE, document=None, machines={})
    after = decide(goal, replace(snapshot, hosts={**snapshot.hosts, "kvm-1": silent})).plan
    assert after.hosts["kvm-1"].left_alone == 1
    assert not any(isinstance(one, MoveInstance | DeleteInstance) for one in after.steps)
    assert "instance.web" not in {one.address for one in after.changes}
    apply(fleet, goal)


def test_a_copy_is_removed_once_the_instance_stays_where_it_is() -> None:
    fleet, goal = moved()
    made = plan(fleet, goal)
    step = next(step for step in made.steps if isinstance(step, MoveInstance))
    fleet.hosts["kvm-2"].breaks = step.id
    fleet.apply(made, goal)
    back = pinned("kvm-1")
    (told,) = (one for one in apply(fleet, back).drift if one.address == "instance.web")
    assert (told.host, told.remedy) == ("kvm-2", "will be removed")
    assert told.message == "a move that is under way or was cut off left its disk here"
    assert step.instance.uuid not in fleet.hosts["kvm-2"].state.disks
    assert_settled(fleet, back)


def test_what_is_left_on_the_source_is_told_too() -> None:
    fleet, goal = moved()
    made = plan(fleet, goal)
    (last,) = (one for one in made.steps if isinstance(one, DeleteInstance))
    fleet.hosts["kvm-1"].breaks = last.id
    fleet.apply(made, goal)
    after = apply(fleet, goal)
    assert [(one.address, one.host, one.repaired) for one in after.drift] == [("instance.web", "kvm-1", True)]
    assert not after.changes
    assert_settled(fleet, goal)


def test_one_that_runs_twice_is_nobodys_to_choose() -> None:
    fleet = settled(pinned("kvm-1"))
    first, second = (fleet.hosts[name] for name in ("kvm-1", "kvm-2"))
    uuid = next(machine.uuid for machine in first.state.machines.values() if machine.name == "web")
    copied = {**second.state.machines, uuid: first.state.machines[uuid]}
    second.state = replace(second.state, machines=copied)
    assert "runs on host.kvm-1 and on host.kvm-2" in refused(fleet, pinned("kvm-1"))


def test_two_that_were_made_apart_are_nobodys_to_choose_however_they_rest() -> None:
    """Two applies reached different hosts. Once one is undefined by hand, its disk is what a move may leave."""
    fleet = settled(pinned("kvm-1"))
    first, second = (fleet.hosts[name] for name in ("kvm-1", "kvm-2"))
    uuid = next(machine.uuid for machine in first.state.machines.values() if machine.name == "web")
    apart = settled(pinned("kvm-2")).hosts["kvm-2"].state
    off = {uuid: replace(apart.machines[uuid], power=Power.STOPPED)}
    second.state = replace(apart, machines=off)
    goal = pinned("kvm-1")
    assert "instance.web is on host.kvm-1 and on host.kvm-2, with a disk of its own on each" in refused(fleet, goal)
    seen = transit(fleet.observe(goal).hosts)
    assert seen.told == {("kvm-1", uuid): "is on kvm-2 too", ("kvm-2", uuid): "runs on kvm-1 too"}
    assert seen.shadows == frozenset()
    second.state = replace(apart, machines={})
    apply(fleet, goal)
    assert (uuid in first.state.disks, uuid in second.state.disks) == (True, False)
    assert_settled(fleet, goal)


def test_a_move_and_a_rename_are_one_change() -> None:
    fleet = settled(cloud(instance("web", where=Where(host="kvm-1")), hosts=HOSTS))
    goal = cloud(instance("www", was=("web",), where=Where(host="kvm-2")), hosts=HOSTS)
    made = apply(fleet, goal)
    assert change(made, "instance.www").action is Action.MOVE
    assert {machine.name for machine in fleet.hosts["kvm-2"].state.machines.values()} == {"www"}


def test_it_is_made_there_at_once_when_there_is_nothing_to_carry() -> None:
    fleet, goal = moved()
    fleet.hosts["kvm-1"].state = replace(fleet.hosts["kvm-1"].state, machines={}, disks={}, bases={})
    made = apply(fleet, changed(goal, "web"))
    assert not any(isinstance(step, MoveInstance) for step in made.steps)
