"""`paused: true`: nothing touches the instance, what waits is shown, and what cannot wait is refused."""

from dataclasses import replace
from typing import Any

import pytest

from cloudsync.cli.replacing import replacing
from cloudsync.hosts.sim_state import SimState
from cloudsync.model.cloud import Cloud, Host, WantedNic
from cloudsync.model.plan import Action, Plan
from cloudsync.model.problem import CloudsyncError, SpecError
from cloudsync.model.resources import Instance, Keypair, Power
from cloudsync.model.snapshot import HostStatus, Usage
from cloudsync.render.plan_json import summary
from cloudsync.render.plan_text import text
from tests.laws.fleet import Fleet, decide
from tests.planner.build import HTTPS, LARGE, changed, cloud, group, image, instance, network, without
from tests.planner.test_changes import settled

WHOLE = cloud(
    instance("web", groups=("default", "web"), user_data=b"#cloud-config\n", keypairs=("alice",), metadata={"a": "1"}),
    instance("db"),
)


def paused(whole: Cloud, *bases: str) -> Cloud:
    return replace(whole, paused=frozenset(bases or ("web",)))


def record(fleet: Fleet, name: str = "web") -> Instance:
    (found,) = (
        document.instances[name]
        for host in fleet.hosts.values()
        if (document := host.state.document) and name in document.instances
    )
    return found


def states(fleet: Fleet, uuid: str) -> list[Any]:
    """All that hosts have of one instance."""
    found: list[SimState] = [host.state for host in fleet.hosts.values()]
    return [(one.machines.get(uuid), one.disks.get(uuid), one.bases.get(uuid)) for one in found]


def plan_of(fleet: Fleet, wanted: Cloud) -> Plan:
    return decide(wanted, fleet.observe(wanted)).plan


def refused(fleet: Fleet, wanted: Cloud) -> str:
    with pytest.raises(SpecError) as caught:
        plan_of(fleet, wanted)
    return "; ".join(problem.message for problem in caught.value.problems)


def test_pausing_changes_nothing_and_says_so() -> None:
    made = plan_of(settled(WHOLE), paused(WHOLE))
    assert (made.empty, made.held) == (True, ())
    assert made.notes == ("instance.web is paused and left alone",)
    assert text(made, False).endswith("note: instance.web is paused and left alone\n\nNothing to do.\n")


@pytest.mark.parametrize(
    ("fields", "action"),
    [
        ({"flavor": LARGE}, Action.UPDATE),
        ({"groups": ("default",)}, Action.UPDATE),
        ({"user_data": b"#!/bin/sh\n"}, Action.UPDATE),
        ({"user_data": b"#!/bin/sh\n", "renews": True}, Action.REPLACE),
        ({"keypairs": ()}, Action.UPDATE),
        ({"metadata": {"b": "2"}}, Action.UPDATE),
        ({"state": Power.STOPPED}, Action.UPDATE),
        ({"image": "other"}, Action.REPLACE),
        ({"address": "10.20.0.77"}, Action.UPDATE),
        ({"floating": "203.0.113.9"}, Action.UPDATE),
        ({"protect": True}, Action.UPDATE),
    ],
)
def test_a_change_waits_and_nothing_of_the_instance_moves(fields: dict[str, Any], action: Action) -> None:
    fleet = settled(WHOLE)
    if "address" in fields:
        fields = {"nics": (WantedNic(network="default", address=fields["address"]),)}
    wanted = replace(changed(WHOLE, "web", **fields), images={**WHOLE.images, "other": image("other")})
    before = record(fleet)
    kept = states(fleet, before.uuid)
    made = plan_of(fleet, paused(wanted))
    assert [(one.why, one.change.address, one.change.action) for one in made.held] == [
        ("paused", "instance.web", action)
    ]
    assert (made.empty, summary(made)["change"], summary(made)["disks_destroyed"]) == (True, 0, 0)
    assert "held: paused" in text(made, False)
    # Others go on, on the same hosts.
    busy = changed(wanted, "db", metadata={"x": "y"})
    outcome = fleet.apply(plan_of(fleet, paused(busy)), paused(busy))
    assert not outcome.failed, fleet.failures
    assert record(fleet) == before
    assert states(fleet, before.uuid) == kept
    assert plan_of(fleet, paused(busy)).empty
    # And then it does what waited.
    made = plan_of(fleet, busy)
    assert [one.action for one in made.changes if one.address == "instance.web"] == [action]
    fleet.apply(made, busy)
    assert plan_of(fleet, busy).empty


def test_its_user_data_stays_on_its_host_though_nobody_has_it_any_more() -> None:
    fleet = settled(WHOLE)
    wanted = changed(changed(WHOLE, "web", user_data=None), "db", metadata={"x": "y"})
    fleet.apply(plan_of(fleet, paused(wanted)), paused(wanted))
    document = fleet.hosts[record(fleet).host].state.document
    digest = record(fleet).user_data
    assert document
    assert digest
    assert digest.sha256 in document.user_data


def test_what_only_it_refers_to_stays_too() -> None:
    there = replace(
        WHOLE,
        groups={**WHOLE.groups, "old": group("old", HTTPS)},
        keypairs={**WHOLE.keypairs, "bob": Keypair(name="bob", public_key="ssh-ed25519 AAAAbob bob")},
        networks={**WHOLE.networks, "back": network("10.30.0.0/24", "10.30.0.1", "back")},
    )
    there = changed(there, "web", groups=("old",), keypairs=("bob",), nics=(WantedNic(network="back"),))
    fleet = settled(there)
    made = plan_of(fleet, paused(WHOLE))
    assert (made.empty, [one.change.action for one in made.held]) == (True, [Action.UPDATE])
    fleet.apply(plan_of(fleet, WHOLE), WHOLE)
    assert plan_of(fleet, WHOLE).empty


def test_a_rename_waits_and_is_made_under_the_new_name() -> None:
    fleet = settled(WHOLE)
    renamed = replace(WHOLE, instances={**without(WHOLE, "web").instances, "front": instance("front", was=("web",))})
    made = plan_of(fleet, paused(renamed, "front"))
    assert [(one.change.address, one.change.action) for one in made.held] == [("instance.front", Action.RENAME)]
    assert made.empty
    fleet.apply(plan_of(fleet, renamed), renamed)
    assert plan_of(fleet, renamed).empty


def test_one_that_is_not_there_is_not_made() -> None:
    fleet = settled(without(WHOLE, "web"))
    made = plan_of(fleet, paused(WHOLE))
    assert [(one.change.address, one.change.action) for one in made.held] == [("instance.web", Action.CREATE)]
    assert (made.empty, made.unplaced) == (True, ())


def counted(many: int) -> Cloud:
    names = range(1, many + 1)
    return cloud(*(instance(f"web-{index}", base="web", index=index) for index in names), instance("db"))


@pytest.mark.parametrize("left", [2, 0])
def test_a_lower_count_waits(left: int) -> None:
    fleet = settled(counted(3))
    made = plan_of(fleet, paused(counted(left)))
    assert [(one.change.address, one.change.action) for one in made.held] == [
        (f"instance.web-{index}", Action.DELETE) for index in range(left + 1, 4)
    ]
    assert (made.empty, made.destroys) == (True, ())


def test_a_move_waits() -> None:
    pinned = cloud(instance("web"), hosts=("kvm-1",))
    fleet = settled(pinned)
    hosts = [
        Host(name="kvm-1", uri="sim:", reserved=Usage(), state=HostStatus.DRAINED),
        Host(name="kvm-2", uri="sim:", reserved=Usage()),
    ]
    drained = cloud(instance("web"), hosts=hosts)
    made = plan_of(fleet, paused(drained))
    (held,) = made.held
    assert (held.change.action, held.change.reasons) == (Action.MOVE, ("host.kvm-1 is drained",))
    assert not [step for step in made.steps if step.kind == "move-instance"]
    assert (made.unplaced, "host kvm-1 → another" in text(made, False)) == ((), True)


def test_drift_of_it_is_a_note() -> None:
    fleet = settled(WHOLE)
    host = fleet.hosts[record(fleet).host]
    off = {uuid: replace(one, power=Power.STOPPED) for uuid, one in host.state.machines.items() if one.name == "web"}
    host.state = replace(host.state, machines={**host.state.machines, **off})
    made = plan_of(fleet, paused(WHOLE))
    assert (made.empty, made.drift) == (True, ())
    assert made.notes == ("instance.web is paused and left alone: it is stopped, should be running",)
    host.state = replace(
        host.state, machines={uuid: one for uuid, one in host.state.machines.items() if uuid not in off}
    )
    made = plan_of(fleet, paused(WHOLE))
    assert (made.empty, "the machine is not there" in made.notes[0]) == (True, True)


def test_nobody_else_gets_its_address() -> None:
    fleet = settled(WHOLE)
    nic = WantedNic(network="default", address=record(fleet).nics[0].address)
    taken = changed(
        changed(WHOLE, "web", nics=(WantedNic(network="default", address="10.20.0.99"),)), "db", nics=(nic,)
    )
    assert "which instance.web has: it is paused" in refused(fleet, paused(taken))


def test_its_network_cannot_be_taken_from_under_it() -> None:
    fleet = settled(WHOLE)
    moved = replace(WHOLE, networks={"default": network("10.99.0.0/24", "10.99.0.1")})
    assert "instance.web is paused" in refused(fleet, paused(moved))


def test_what_a_person_says_is_refused() -> None:
    with pytest.raises(CloudsyncError, match=r"instance\.web is paused"):
        replacing(paused(WHOLE), ["web"])
    fleet = settled(WHOLE)
    lost = record(fleet).host
    fleet.unplug(lost)
    given_up = replace(paused(WHOLE), evacuate=(lost,))
    assert "instance.web is paused and would be made anew" in refused(fleet, given_up)
