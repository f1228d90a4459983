"""Who runs where: every constraint, the numbers in each refusal, and preferences that anybody can work out again."""

from dataclasses import replace
from typing import Any

import pytest

from cloudsync.model.cloud import Cloud, Flavor, Host, Overcommit, PlacementGroup, Scheduler, Wanted, Where
from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Placement, Unplaced
from cloudsync.model.resources import Instance, Nic
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


def lives(whole: Cloud, name: str, host: str) -> Snapshot:
    """One instance is there already."""
    address = "10.20.0.200"
    record = Instance(
        name=name,
        uuid="11111111-1111-4111-8111-111111111111",
        incarnation=0,
        host=host,
        image=whole.images["debian"].sha256,
        image_name="debian",
        flavor="small",
        vcpus=1,
        memory=512 << 20,
        disk=4 * GIB,
        nics=(Nic(network="default", address=address, mac="52:54:00:00:00:01", tap="cs-000000000001"),),
    )
    document = HostDocument(cloud="demo", host=host, generation=1, instances={name: record})
    return seen(whole, **{host: state(host, document=document)})


def test_a_strict_group_comes_whole_or_not_at_all() -> None:
    whole = grouped("anti-affinity", 4)
    placed, unplaced = place(whole, seen(whole))
    assert not placed
    why = "would do, but g comes whole or not at all: 3 of 4 wanted found a place, at most 1 on each of 3 usable hosts"
    assert {one.instance: dict(one.refusals) for one in unplaced} == {
        f"x-{number}": dict.fromkeys("abc", why) for number in range(1, 5)
    }


def test_members_that_live_stay_whatever_becomes_of_the_new() -> None:
    whole = grouped("anti-affinity", 4)
    placed, unplaced = place(whole, lives(whole, "x-2", "b"))
    assert [(one.instance, one.host) for one in placed] == [("x-2", "b")]
    assert [one.instance for one in unplaced] == ["x-1", "x-3", "x-4"]
    assert unplaced[0].refusals["b"] == "g has one there"
    why = "2 of 3 wanted found a place beside the 1 that lives already, at most 1 on each of 3 usable hosts"
    assert unplaced[0].refusals["a"] == f"would do, but g comes whole or not at all: {why}"
    fewer = grouped("anti-affinity", 3)
    placed, unplaced = place(fewer, lives(fewer, "x-2", "b"))
    assert ([one.host for one in placed], unplaced) == (["a", "b", "c"], ())


def test_only_hosts_that_can_take_a_member_are_counted_for_its_group() -> None:
    whole = grouped("anti-affinity", 5, most=2)
    asleep = replace(whole, hosts={**whole.hosts, "c": host("c", state=HostStatus.CORDONED)})
    refusals = place(asleep, seen(asleep))[1][0].refusals
    why = "4 of 5 wanted found a place, at most 2 on each of 2 usable hosts"
    assert (refusals["a"], refusals["c"]) == (f"would do, but g comes whole or not at all: {why}", "cordoned")


def test_what_a_group_gives_up_is_there_for_others() -> None:
    """The group is placed first, and comes out again: its two do not keep the large one out."""
    whole = grouped("anti-affinity", 2, hosts=("a",))
    big = instance("big", flavor=Flavor(name="big", vcpus=1, memory=16 * GIB, disk=GIB))
    whole = replace(whole, instances={**whole.instances, "big": big})
    placed, unplaced = place(whole, seen(whole))
    assert ([one.instance for one in placed], [one.instance for one in unplaced]) == (["big"], ["x-1", "x-2"])


def test_anti_affinity_counts_to_its_most() -> None:
    assert sorted(map(len, names_by_host(grouped("anti-affinity", 5, most=2)).values())) == [1, 2, 2]


def test_affinity_goes_where_all_of_it_fits() -> None:
    """The first alone would go to the host with most room, where the others would not fit beside it."""
    group = {"g": PlacementGroup(name="g", policy="affinity")}
    flavor = Flavor(name="half", vcpus=4, memory=GIB, disk=GIB)
    wanted = [instance(f"x-{number}", flavor=flavor, where=Where(group="g")) for number in (1, 2, 3)]
    hosts = (host("a", overcommit=Overcommit(vcpus=1)), host("b", reserved=Usage(memory=10 * GIB)))
    whole = cloud(*wanted, hosts=hosts, placement_groups=group)
    placed, _ = place(whole, seen(whole))
    assert [one.host for one in placed] == ["b", "b", "b"]
    assert placed[0].refusals == {"a": "needs 12 vCPUs, 8 free"}


def test_affinity_joins_what_lives_and_says_where() -> None:
    whole = grouped("affinity", 3)
    placed, _ = place(whole, lives(whole, "x-2", "b"))
    assert [one.host for one in placed] == ["b", "b", "b"]
    assert placed[0].refusals == {"a": "g is on b", "c": "g is on b"}


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


@pytest.mark.parametrize("flavor", [SMALL, LARGE, Flavor(name="tiny", vcpus=1, memory=64 << 20, disk=1 << 30)])
@pytest.mark.parametrize("size", [RAW, Usage(vcpus=128, memory=1024 * GIB, disk=8192 * GIB)])
def test_a_cached_image_does_not_keep_instances_from_spreading(flavor: Flavor, size: Usage) -> None:
    """However small they are and however large the hosts: the one that has it is the first of equals."""
    hosts = tuple(host(name, overcommit=Overcommit(disk=4)) for name in "abc")
    whole = cloud(*(instance(f"x-{number}", flavor=flavor) for number in range(1, 6)), hosts=hosts)
    having = {whole.images["debian"].sha256: 1}
    states = {name: state(name, capacity=size, images=having if name == "c" else {}) for name in "abc"}
    placed, _ = place(whole, seen(whole, **states))
    assert [one.host for one in placed] == ["c", "a", "b", "c", "a"]


def test_a_cached_image_is_worth_what_the_spec_says() -> None:
    """With 3.5, a host that has it is preferred while it has no more than three instances more than another."""
    scheduler = Scheduler(weights={"image_present": 3.5})
    whole = cloud(*(instance(f"x-{number}") for number in range(1, 6)), hosts=("a", "b"), scheduler=scheduler)
    placed, _ = place(whole, seen(whole, b=state("b", images={whole.images["debian"].sha256: 1})))
    assert [one.host for one in placed] == ["b", "b", "b", "b", "a"]


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
    hosts = tuple(host(f"h{number}", zone="ab"[number % 2]) for number in range(9))
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
