"""Instances that come one after the other spread as those that come at once do."""

from collections import Counter

from cloudsync.model.cloud import Cloud
from tests.planner.build import cloud, instance
from tests.planner.test_changes import apply, settled


def counted(count: int) -> Cloud:
    wanted = (instance(f"w-{number}", base="w", index=number) for number in range(1, count + 1))
    return cloud(*wanted, hosts=("kvm-1", "kvm-2", "kvm-3"))


def test_more_of_what_is_there_go_to_all_hosts() -> None:
    """One of the three equal hosts has the image from the first of them."""
    fleet = settled(counted(1))
    apply(fleet, counted(5))
    there = Counter(name for name, host in fleet.hosts.items() for _ in host.state.machines)
    assert there == {"kvm-1": 2, "kvm-2": 2, "kvm-3": 1}
