"""What a diff leaves out is what nothing that changes depends on."""

from dataclasses import replace

import pytest

from cloudsync.model.cloud import Cloud, PlacementGroup, Update, Where
from cloudsync.pipeline import compare
from cloudsync.planner.supposed import suppose
from cloudsync.planner.unlike import unlike
from cloudsync.spec.versions import Version
from tests.planner.build import ADMIN, cloud, group, image, instance

IMAGES = {one.name: one for one in (image("debian"), image("noble"))}
NEAR = {"near": PlacementGroup(name="near", policy="soft-affinity", update=Update(max_unavailable=1))}


def whole(*more: str, near: bool = False) -> Cloud:
    where = Where(group="near") if near else Where()
    names = ("a", "b", "c", *more)
    return cloud(*(instance(name, where=where) for name in names), images=IMAGES, placement_groups=NEAR)


def test_nothing_is_left_of_what_stays() -> None:
    base, head = unlike(whole(), whole())
    assert (dict(base.instances), dict(head.instances)) == ({}, {})


def test_an_image_that_others_brought_is_not_fetched_again() -> None:
    plan = compare(Version("a", "cloud.yaml", whole()), Version("b", "cloud.yaml", whole("d"))).plan
    assert [change.address for change in plan.changes] == ["instance.d"]


@pytest.mark.parametrize("near", [True, False])
def test_those_that_may_not_be_down_with_one_are_counted(near: bool) -> None:
    base = whole(near=near)
    flavor = replace(base.instances["a"].flavor, name="wide", vcpus=16)
    head = replace(base, instances={**base.instances, "a": replace(base.instances["a"], flavor=flavor)})
    assert set(unlike(base, head)[0].instances) == ({"a", "b", "c"} if near else {"a"} | brought(base))


def brought(base: Cloud) -> set[str]:
    """One that has the image there already."""
    return {min(base.instances.keys() - {"a"})}


def test_hosts_that_are_set_aside_get_what_all_get() -> None:
    hosts = [f"kvm-{at}" for at in range(5)]
    base = cloud(instance("a"), hosts=hosts)
    head = replace(base, groups={**base.groups, "web": group("web", ADMIN)}, instances={})
    assert suppose(base, head).bare.hosts.keys() == {"kvm-0", "kvm-1"}
    plan = compare(Version("a", "cloud.yaml", base), Version("b", "cloud.yaml", head)).plan
    told = {change.address: change.hosts for change in plan.changes}
    assert told == {"group.web": tuple(hosts), "instance.a": ()}


def test_no_host_is_set_aside_that_is_another_one() -> None:
    base = cloud(hosts=["kvm-0", "kvm-1", "kvm-2", "kvm-3"])
    head = replace(base, hosts={name: replace(one, uplink="eth1") for name, one in base.hosts.items()})
    assert suppose(base, head).bare.hosts.keys() == base.hosts.keys()
    plan = compare(Version("a", "cloud.yaml", base), Version("b", "cloud.yaml", head)).plan
    assert {change.address for change in plan.changes} == {f"host.{name}" for name in base.hosts}
