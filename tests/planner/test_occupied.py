"""What a host has itself is given to no network and no instance, and that is said before anything is done."""

from dataclasses import replace

import pytest

from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import Place, Problem, SpecError
from cloudsync.model.snapshot import Occupied, Snapshot
from tests.laws.fleet import Fleet, decide
from tests.planner.build import cloud, instance, network
from tests.planner.cases import settled

NETWORK, WEB = Place("cloud.yaml", 8, 3), Place("cloud.yaml", 20, 3)
UPLINK = Occupied(device="eth0", address="203.0.113.10", subnet="203.0.113.0/24")


def beside(fleet: Fleet, wanted: Cloud, taken: Occupied) -> Snapshot:
    """One of the hosts has `taken`."""
    snapshot = fleet.observe(wanted)
    return Snapshot(hosts={**snapshot.hosts, "kvm-2": replace(snapshot.hosts["kvm-2"], occupied=(taken,))})


def refused(wanted: Cloud, taken: Occupied) -> Problem:
    placed = replace(wanted, places={"network.default": NETWORK, "instance.web": WEB})
    with pytest.raises(SpecError) as caught:
        decide(placed, beside(Fleet(), placed, taken))
    (problem,) = caught.value.problems
    return problem


def test_a_subnet_that_overlaps_one_of_a_hosts_own_is_refused() -> None:
    problem = refused(cloud(networks={"default": network("203.0.0.0/16", "203.0.0.1")}), UPLINK)
    assert problem.place == NETWORK
    assert problem.message == (
        "network.default: its subnet 203.0.0.0/16 overlaps 203.0.113.0/24, which host.kvm-2 has on eth0"
    )
    assert problem.hint == "take a subnet that is used nowhere else"


def test_what_is_in_force_is_not_refused_when_the_host_gets_such_a_subnet_later() -> None:
    whole = cloud(instance("web"))
    later = Occupied(device="eth1", address="10.20.0.77", subnet="10.20.0.0/25")
    fleet = settled(whole)
    assert decide(whole, beside(fleet, whole, later)).plan.empty
    with pytest.raises(SpecError):
        decide(replace(whole, networks={"default": network("10.20.0.0/23")}), beside(fleet, whole, later))


def test_a_floating_address_that_is_a_hosts_own_is_refused_wherever_the_instance_is() -> None:
    problem = refused(cloud(instance("web", floating="203.0.113.10")), UPLINK)
    assert problem.place == WEB
    assert problem.message == "instance.web: its floating address 203.0.113.10 is host.kvm-2's own, on eth0"
    assert "nobody has" in problem.hint


def test_others_beside_them_are_taken() -> None:
    whole = cloud(instance("web", floating="203.0.113.11"))
    assert decide(whole, beside(Fleet(), whole, UPLINK)).plan.steps
