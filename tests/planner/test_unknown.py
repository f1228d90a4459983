"""Unknown is not empty: what may live on a host that cannot be asked stays what it is."""

from dataclasses import replace

import pytest

from cloudsync.model.cloud import Cloud, WantedNic
from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Change, Disruption, Field, Plan
from cloudsync.model.problem import SpecError
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot
from cloudsync.model.step import PutDocument
from cloudsync.planner.narrow import quiet
from tests.laws.fleet import Fleet, decide
from tests.planner.build import PEERS, changed, cloud, group, instance, without
from tests.planner.test_changes import settled

FULL = cloud(*(instance(f"web-{number}") for number in range(1, 7)), hosts=("kvm-1", "kvm-2", "kvm-3"))


def lost(fleet: Fleet, whole: Cloud, host: str, status: HostStatus = HostStatus.UNREACHABLE) -> Snapshot:
    snapshot = fleet.observe(whole)
    gone = HostState(name=host, status=status, reason="connection refused")
    return Snapshot(hosts={**snapshot.hosts, host: gone})


def on(fleet: Fleet, host: str) -> list[str]:
    return sorted(machine.name for machine in fleet.hosts[host].state.machines.values())


@pytest.mark.parametrize("status", [HostStatus.UNREACHABLE, HostStatus.FOREIGN, HostStatus.UNFIT])
def test_nothing_of_a_silent_host_is_made_elsewhere(status: HostStatus) -> None:
    fleet = settled(FULL)
    made = decide(FULL, lost(fleet, FULL, "kvm-2", status)).plan
    assert made.steps == ()
    assert made.changes == ()
    assert made.hosts["kvm-2"].left_alone == len(on(fleet, "kvm-2")) > 0
    assert any("kvm-2" in warning for warning in made.warnings)


def test_others_go_on_and_still_know_the_silent_ones() -> None:
    fleet = settled(FULL)
    away = on(fleet, "kvm-2")
    more = replace(FULL, instances={**FULL.instances, "new": instance("new")})
    made = decide(more, lost(fleet, more, "kvm-2")).plan
    assert {step.host for step in made.steps} <= {"kvm-1", "kvm-3"}
    document = _document(made, "kvm-1")
    assert set(document.directory) == set(more.instances)
    held = {address for name in away for address in document.directory[name].addresses}
    assert held <= set(document.members["group.default"])
    assert not held & set(document.directory["new"].addresses)


def test_what_few_hosts_will_know_of_is_said() -> None:
    """Those who reach only the others would make it again."""
    fleet = settled(FULL)
    more = replace(FULL, instances={**FULL.instances, "new": instance("new")})
    snapshot = lost(fleet, more, "kvm-2")
    assert not any("can be asked" in warning for warning in decide(more, snapshot).plan.warnings)
    fewer = Snapshot(hosts={**snapshot.hosts, "kvm-3": replace(snapshot.hosts["kvm-2"], name="kvm-3")})
    (told,) = (one for one in decide(more, fewer).plan.warnings if "can be asked" in one)
    assert told.startswith("only 1 of 3 hosts can be asked: what is made now is known to host.kvm-1 alone")
    assert not any("can be asked" in warning for warning in decide(FULL, fewer).plan.warnings)


def test_one_that_is_given_up_with_its_host_says_what_of_it_changes() -> None:
    fleet = settled(FULL)
    gone, (free,) = on(fleet, "kvm-2")[0], ("10.20.0.200",)
    given_up = replace(FULL, evacuate=("kvm-2",))
    snapshot = lost(fleet, given_up, "kvm-2")
    for goal, paths in (
        (given_up, ["host"]),
        (changed(given_up, gone, nics=(WantedNic(network="default", address=free),)), ["host", "address"]),
    ):
        (told,) = (one for one in decide(goal, snapshot).plan.changes if one.address == f"instance.{gone}")
        assert [field.path for field in told.fields] == paths
        assert all(field.before and field.after for field in told.fields)


def came_back(fleet: Fleet) -> list[Change]:
    """What is planned when kvm-2, which was given up, answers again."""
    given_up = replace(FULL, evacuate=("kvm-2",))
    fleet.unplug("kvm-2")
    assert not fleet.apply(decide(given_up, fleet.observe(given_up)).plan, given_up).failed, fleet.failures
    fleet.plug_in("kvm-2")
    return [one for one in decide(FULL, fleet.observe(FULL)).plan.changes if one.hosts == ("kvm-2",)]


def test_the_copy_that_runs_is_stopped_as_a_restart_and_waits_for_nobody() -> None:
    fleet = settled(FULL)
    copies = [one for one in came_back(fleet) if one.address.startswith("instance.")]
    assert [one.address for one in copies] == [f"instance.{name}" for name in on(fleet, "kvm-2")] != []
    assert {(one.disruption, quiet(one)) for one in copies} == {(Disruption.RESTART, True)}
    assert {field for one in copies for field in one.fields} == {
        Field(path="copy", before="running", after="stopped"),
    }


def test_the_copy_that_is_off_is_only_kept_from_starting() -> None:
    fleet = settled(FULL)
    host = fleet.hosts["kvm-2"]
    there = {uuid: replace(machine, power=Power.STOPPED) for uuid, machine in host.state.machines.items()}
    host.state = replace(host.state, machines=there)
    copies = [one for one in came_back(fleet) if one.address.startswith("instance.")]
    assert {(one.disruption, one.fields) for one in copies} == {(Disruption.NONE, ())}


def test_one_that_is_no_longer_wanted_stays_in_the_directory_until_its_host_is_asked() -> None:
    fleet = settled(FULL)
    gone = on(fleet, "kvm-2")[0]
    less = replace(without(FULL, gone), groups={**FULL.groups, "new": group("new", PEERS)})
    made = decide(less, lost(fleet, less, "kvm-2")).plan
    document = _document(made, "kvm-1")
    assert gone in document.directory
    assert not set(document.directory[gone].addresses) & set(document.members["group.default"])


def test_its_address_is_given_to_nobody() -> None:
    fleet = settled(FULL)
    away = on(fleet, "kvm-2")[0]
    address = decide(FULL, fleet.observe(FULL)).desired.instances[away].nics[0].address
    thief = replace(
        without(FULL, away), instances={**without(FULL, away).instances, "x": instance("x", address=address)}
    )
    with pytest.raises(SpecError) as caught:
        decide(thief, lost(fleet, thief, "kvm-2"))
    assert address in caught.value.problems[0].message


def test_with_the_only_witness_silent_nothing_new_is_placed() -> None:
    whole = cloud(instance("web"), hosts=("kvm-1", "kvm-2"))
    made = decide(whole, lost(Fleet(), whole, "kvm-2")).plan
    assert [one.instance for one in made.unplaced] == ["web"]
    assert not any(step.kind == "create-instance" for step in made.steps)


def test_a_host_taken_out_of_the_spec_with_instances_on_it_is_not_forgotten() -> None:
    fleet = settled(FULL)
    smaller = replace(FULL, hosts={name: host for name, host in FULL.hosts.items() if name != "kvm-2"})
    made = decide(smaller, fleet.observe(smaller)).plan
    assert [one.instance for one in made.unplaced] == on(fleet, "kvm-2")
    assert all("put the host back" in one.refusals["kvm-2"] for one in made.unplaced)


def test_another_clouds_host_is_left_alone() -> None:
    whole = cloud(instance("web"), hosts=("kvm-1",))
    fleet = settled(whole)
    theirs = replace(whole, name="other")
    made = decide(theirs, fleet.observe(theirs)).plan
    assert made.hosts["kvm-1"].status == "foreign"
    assert made.steps == ()


def test_a_released_host_may_be_taken_by_another_cloud() -> None:
    whole = cloud(instance("web"), hosts=("kvm-1",))
    fleet = settled(whole)
    nothing = replace(whole, images={}, networks={}, keypairs={}, groups={}, instances={})
    fleet.apply(decide(nothing, fleet.observe(nothing)).plan, nothing)
    theirs = replace(whole, name="other")
    outcome = fleet.apply(decide(theirs, fleet.observe(theirs)).plan, theirs)
    assert not outcome.failed, fleet.failures
    assert decide(theirs, fleet.observe(theirs)).plan.empty


def _document(made: Plan, host: str) -> HostDocument:
    return next(step.document for step in made.steps if isinstance(step, PutDocument) and step.host == host)
