"""A database with data disks, and what plans say of it: for the tests of data disks."""

from dataclasses import replace

import pytest

from cloudsync.model.cloud import Cloud, WantedDisk
from cloudsync.model.plan import Change, Plan
from cloudsync.model.problem import SpecError
from cloudsync.model.snapshot import Machine
from tests.laws.fleet import Fleet, decide
from tests.planner.build import GIB, changed, cloud, instance

DATA, LOGS = WantedDisk(name="data", size=10 * GIB), WantedDisk(name="logs", size=5 * GIB)
BOTH = (DATA, LOGS)
PLAIN = cloud(instance("db"), hosts=("kvm-1",))
ONE = changed(PLAIN, "db", disks=(DATA,))
TWO = changed(PLAIN, "db", disks=BOTH)


def plan_of(fleet: Fleet, wanted: Cloud) -> Plan:
    return decide(wanted, fleet.observe(wanted)).plan


def applied(fleet: Fleet, wanted: Cloud) -> Plan:
    plan = plan_of(fleet, wanted)
    assert not fleet.apply(plan, wanted).failed, fleet.failures
    assert plan_of(fleet, wanted).empty
    return plan


def ids(fleet: Fleet) -> dict[str, str]:
    """Of the data disks on record, by name."""
    documents = [host.state.document for host in fleet.hosts.values()]
    every = [one for document in documents if document for one in document.instances.values()]
    return {disk.name: disk.id for one in every for disk in one.disks}


def of_instance(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.address.startswith("instance.")]


def machine(fleet: Fleet, name: str = "db") -> tuple[str, Machine]:
    return next((host, one) for host, h in fleet.hosts.items() for one in h.state.machines.values() if one.name == name)


def drifted(fleet: Fleet, **fields: object) -> None:
    host, one = machine(fleet)
    state = fleet.hosts[host].state
    fleet.hosts[host].state = replace(state, machines={one.uuid: replace(one, **fields)})  # type: ignore[arg-type]


def refused(fleet: Fleet, wanted: Cloud) -> str:
    with pytest.raises(SpecError) as caught:
        plan_of(fleet, wanted)
    return "\n".join(f"{one.message}; {one.hint}" for one in caught.value.problems)
