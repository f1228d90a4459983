"""Who runs where: every constraint, the numbers in each refusal, and preferences that anybody can work out again."""

from dataclasses import replace
from typing import Any

import pytest

from cloudsync.model.cloud import Cloud, Flavor, Host, Overcommit, PlacementGroup, Scheduler, Wanted, Where
from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Placement, Unplaced
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot, Usage
from cloudsync.scheduler.place import place
from tests.planner.build import GIB, LARGE, SMALL, cloud, image, instance

RAW = Usage(vcpus=8, memory=16 * GIB, disk=100 * GIB)


def host(name: str, **fields: Any) -> Host:
    return Host(**{"name": name, "uri": "sim:", "reserved": Usage(), **fields})


def seen(whole: Cloud, **states: HostState) -> Snapshot:
    """Empty hosts of 8 CPUs, 16 GiB and 100 GiB unless `states` say otherwise."""
    return Snapshot(hosts={name: states.get(name, state(name)) for name in whole.hosts})


def state(name: str, **fields: Any) -> HostState:
    return HostState(**{"name": name, "status": HostStatus.READY, "capacity": RAW, **fields})


def only(whole: Cloud, **states: HostState) -> Placement | Unplaced:
    placed, unplaced = place(whole, seen(whole, **states))
    assert len(placed) + len(unplaced) == 1
    return placed[0] if placed else unplaced[0]


@pytest.mark.parametrize(
    ("bad", "wanted", "why"),
    [
        (host("a", state=HostStatus.CORDONED), {}, "cordoned"),
        (host("a", state=HostStatus.DRAINED), {}, "drained"),
        (host("a"), {"where": Where(host="b")}, "the spec says host.b"),
        (host("a", zone="rack-b"), {"where": Where(zone="rack-a")}, "is in zone rack-b, not in rack-a"),
        (host("a"), {"where": Where(zone="rack-a")}, "is in no zone, not in rack-a"),
        (host("a"), {"where": Where(labels={"disk": "nvme"})}, "has no label disk=nvme"),
        (host("a", labels={"disk": "hdd"}), {"where": Where(labels={"disk": "nvme"})}, "has label disk=hdd, not nvme"),
        (host("a", reserved=Usage(memory=15 * GIB)), {"flavor": LARGE}, "needs 8 GiB of memory, 1 GiB free"),
        (host("a", reserved=Usage(disk=90 * GIB)), {"flavor": LARGE}, "needs 40 GiB of disk, 10 GiB free"),
        (host("a", overcommit=Overcommit(vcpus=0.25)), {"flavor": LARGE}, "needs 4 vCPUs, 2 free"),
    ],
)
def test_a_refusal_says_why_with_numbers(bad: Host, wanted: dict[str, Any], why: str) -> None:
    good = host("b", zone="rack-a", labels={"disk": "nvme"})
    answer = only(cloud(instance("x", **wanted), hosts=(bad, good)))
    assert isinstance(answer, Placement)
    assert (answer.host, dict(answer.refusals)) == ("b", {"a": why})


@pytest.mark.parametrize(
    ("there", "why"),
    [
        (state("a", status=HostStatus.UNREACHABLE), "unreachable"),
        (state("a", status=HostStatus.UNFIT), "unfit"),
        (state("a", arch="aarch64"), "is aarch64, the image is x86_64"),
        (state("a", foreign_names=frozenset({"x"})), "a machine called x is there and is not ours"),
        (state("a", foreign=Usage(memory=12 * GIB)), "needs 8 GiB of memory, 4 GiB free"),
        (state("a", capacity=Usage(vcpus=2, memory=16 * GIB, disk=100 * GIB)), "has 2 CPUs, 4 wanted"),
        (state("a", capacity=Usage(vcpus=8, memory=4 * GIB, disk=100 * GIB)), "has 4 GiB of memory, 8 GiB wanted"),
    ],
)
def test_what_is_there_counts(there: HostState, why: str) -> None:
    """A single instance is never larger than the physical host, whatever is overcommitted."""
    generous = Overcommit(vcpus=16, memory=4, disk=4) if "wanted" in why else Overcommit()
    whole = cloud(instance("x", flavor=LARGE), hosts=(host("a", overcommit=generous), host("b")))
    snapshot = seen(whole, a=there)
    known = replace(snapshot.hosts["b"], document=_document())
    placed, _ = place(whole, Snapshot(hosts={**snapshot.hosts, "b": known}))
    assert (placed[0].host, dict(placed[0].refusals)) == ("b", {"a": why})


def _document() -> HostDocument:
    return HostDocument(cloud="demo", host="b", generation=1)


def test_an_image_asks_for_a_least() -> None:
    demanding = replace(image("debian"), min_memory=GIB)
    answer = only(cloud(instance("x"), hosts=("a",), images={"debian": demanding}))
    assert isinstance(answer, Unplaced)
    assert answer.refusals["a"] == "image.debian needs 1 GiB of memory, small has 512 MiB"


def names_by_host(whole: Cloud) -> dict[str, list[str]]:
    placed, _ = place(whole, seen(whole))
    found: dict[str, list[str]] = {}
    for one in placed:
        found.setdefault(one.host, []).append(one.instance)
    return found


def grouped(policy: str, count: int, hosts: tuple[str, ...] = ("a", "b", "c"), most: int = 1) -> Cloud:
    group = PlacementGroup(name="g", policy=policy, max_per_host=most)
    wanted = [instance(f"x-{number}", where=Where(group="g")) for number in range(1, count + 1)]
    return cloud(*wanted, hosts=hosts, placement_groups={"g": group})


def test_anti_affinity_spreads_and_then_refuses() -> None:
    placed, unplaced = place(grouped("anti-affinity", 4), seen(grouped("anti-affinity", 4)))
    assert sorted(one.host for one in placed) == ["a", "b", "c"]
    assert [one.instance for one in unplaced] == ["x-4"]
    assert unplaced[0].refusals == dict.fromkeys("abc", "g has one there")


def test_anti_affinity_counts_to_its_most() -> None:
    assert sorted(map(len, names_by_host(grouped("anti-affinity", 5, most=2)).values())) == [1, 2, 2]


def test_affinity_keeps_together_and_says_where() -> None:
    whole = grouped("affinity", 3)
    placed, _ = place(whole, seen(whole))
    assert len({one.host for one in placed}) == 1
    assert placed[2].refusals == {name: f"g is on {placed[0].host}" for name in "abc" if name != placed[0].host}


def test_soft_policies_prefer_and_never_refuse() -> None:
    assert len(names_by_host(grouped("soft-affinity", 3))) == 1
    assert sorted(map(len, names_by_host(grouped("soft-anti-affinity", 4)).values())) == [1, 1, 2]


def test_spread_and_pack() -> None:
    wanted = [instance(f"x-{number}") for number in range(1, 7)]
    assert sorted(map(len, names_by_host(cloud(*wanted, hosts=("a", "b", "c"))).values())) == [2, 2, 2]
    packed = cloud(*wanted, hosts=("a", "b", "c"), scheduler=Scheduler(strategy="pack"))
    assert list(names_by_host(packed)) == ["a"]


def test_a_cached_image_tips_the_balance() -> None:
    whole = cloud(instance("x"), hosts=("a", "b"))
    answer = only(whole, b=state("b", images={whole.images["debian"].sha256: 1}))
    assert isinstance(answer, Placement)
    assert (answer.host, answer.runner_up) == ("b", "a")


def test_weights_are_the_specs() -> None:
    """The same two hosts, one with more memory, the other with more CPUs."""
    states = {
        "a": state("a", capacity=Usage(vcpus=8, memory=64 * GIB, disk=100 * GIB)),
        "b": state("b", capacity=Usage(vcpus=64, memory=16 * GIB, disk=100 * GIB)),
    }
    for weights, host_name in (({"vcpus": 0.0, "memory": 1.0}, "a"), ({"vcpus": 1.0, "memory": 0.0}, "b")):
        whole = cloud(instance("x"), hosts=("a", "b"), scheduler=Scheduler(weights=weights))
        answer = only(whole, **states)
        assert isinstance(answer, Placement)
        assert answer.host == host_name


def test_the_hardest_come_first() -> None:
    """Small ones, first by name, would leave no host with room for the large one."""
    flavor = Flavor(name="huge", vcpus=1, memory=16 * GIB, disk=GIB)
    whole = cloud(*(instance(f"a-{number}") for number in range(1, 5)), instance("z", flavor=flavor), hosts=("a", "b"))
    assert sorted(names_by_host(whole).values()) == [["a-1", "a-2", "a-3", "a-4"], ["z"]]


def test_every_choice_is_that_of_a_scheduler_which_looks_at_everything_again() -> None:
    """The quick way (only what was filled is looked at) against the slow one: one new instance at a time."""
    wanted = _mixture()
    hosts = tuple(host(f"h{number}", zone="ab"[number % 2]) for number in range(6))
    group = {"g": PlacementGroup(name="g", policy="anti-affinity", max_per_host=2)}
    whole = cloud(*wanted, hosts=hosts, placement_groups=group)
    placed, unplaced = place(whole, seen(whole))
    assert place(whole, seen(whole)) == (placed, unplaced)
    quick = {one.instance: one.host for one in placed}
    order = sorted(wanted, key=_hardness)
    slow: dict[str, str] = {}
    for one in order:
        pinned = [
            replace(whole.instances[name], where=replace(whole.instances[name].where, host=at))
            for name, at in slow.items()
        ]
        step = replace(whole, instances={w.name: w for w in (*pinned, one)})
        answer = next((p for p in place(step, seen(step))[0] if p.instance == one.name), None)
        if answer:
            slow[one.name] = answer.host
    assert slow == quick


def _mixture() -> list[Wanted]:
    flavors = (SMALL, LARGE, Flavor(name="mid", vcpus=2, memory=3 * GIB, disk=9 * GIB))
    return [
        instance(
            f"x-{number:02}",
            flavor=flavors[number % 3],
            where=Where(zone="a" if number % 4 == 0 else None, group="g" if number % 5 == 0 else None),
        )
        for number in range(30)
    ]


def _hardness(one: Wanted) -> tuple[int, int, int, int, str]:
    flavor = one.flavor
    return (0 if one.where.group else 1, -flavor.memory, -flavor.vcpus, -flavor.disk, one.name)
