"""Other sizes for a machine that runs: what is given while it runs, and why the rest takes a restart."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cloudsync.model.cloud import Cloud, Flavor
from cloudsync.model.growth import headroom
from cloudsync.model.plan import Change, Disruption
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import Boot, Machine, Snapshot, Usage
from cloudsync.model.step import UpdateInstance
from tests.laws.fleet import Decision, Fleet, decide
from tests.laws.settled import assert_settled
from tests.planner.build import GIB, MIB, SMALL, changed, cloud, instance
from tests.planner.test_changes import change, refused, settled

BASE = cloud(instance("web", flavor=replace(SMALL, vcpus=2)), hosts=("kvm-1",))
STOPPED = changed(BASE, "web", state=Power.STOPPED)
Seen = Callable[[Machine], Machine]


def sized(base: Cloud = BASE, /, **sizes: int) -> Cloud:
    return changed(base, "web", flavor=replace(base.instances["web"].flavor, **sizes))  # type: ignore[arg-type]


def seen(fleet: Fleet, whole: Cloud, how: Seen) -> Snapshot:
    """With the machine as `how` makes it."""
    host = fleet.observe(whole).hosts["kvm-1"]
    machines = {uuid: how(machine) for uuid, machine in host.machines.items()}
    return Snapshot(hosts={"kvm-1": replace(host, machines=machines)})


def silent(fleet: Fleet, whole: Cloud) -> Snapshot:
    """Its guest has booted, and said no more."""
    host = fleet.observe(whole).hosts["kvm-1"]
    return Snapshot(hosts={"kvm-1": replace(host, boots={uuid: Boot(uuid=uuid) for uuid in host.machines})})


def told(made: Decision) -> tuple[Disruption, bool]:
    """The class that the plan shows, and whether its step leaves the machine running."""
    (step,) = [step for step in made.plan.steps if isinstance(step, UpdateInstance)]
    return change(made.plan, "instance.web").disruption, step.live


def reasons(made: Decision) -> str:
    found: Change = change(made.plan, "instance.web")
    return "; ".join(found.reasons)


@pytest.mark.parametrize("sizes", [{"vcpus": 8}, {"memory": 2 * GIB}, {"disk": 8 * GIB}, {"vcpus": 3, "disk": 5 * GIB}])
def test_what_there_is_room_for_is_given_live(sizes: dict[str, int]) -> None:
    fleet, wanted = settled(BASE), sized(**sizes)
    made = decide(wanted, fleet.observe(wanted))
    assert told(made) == (Disruption.LIVE, True)
    assert not fleet.apply(made.plan, wanted).failed
    assert all(not host.stopped for host in fleet.hosts.values())
    assert_settled(fleet, wanted)


@pytest.mark.parametrize(
    ("sizes", "why"),
    [
        ({"vcpus": 1}, "vCPUs are only taken away by a restart"),
        ({"memory": 256 * MIB}, "memory is only taken away by a restart"),
        ({"vcpus": 9}, "it was started with room for 8 vCPUs"),
        ({"memory": 3 * GIB}, "it was started with room for 2 GiB of memory"),
        ({"memory": 576 * MIB}, "memory is added to a running guest in whole multiples of 128 MiB"),
    ],
)
def test_what_a_running_machine_cannot_take_in_is_a_restart_with_the_reason(sizes: dict[str, int], why: str) -> None:
    fleet, wanted = settled(BASE), sized(**sizes)
    made = decide(wanted, fleet.observe(wanted))
    assert told(made) == (Disruption.RESTART, False)
    assert reasons(made) == why
    assert not fleet.apply(made.plan, wanted).failed
    assert_settled(fleet, wanted)


@pytest.mark.parametrize(("sizes", "what"), [({"vcpus": 3}, "vCPUs"), ({"memory": 1 * GIB}, "memory")])
def test_one_that_was_started_before_there_was_room_restarts_and_says_why(sizes: dict[str, int], what: str) -> None:
    """A host of before does not say how far its machines grow, or that they do not."""
    fleet, wanted = settled(BASE), sized(**sizes)
    for room in (0, 1):
        old = seen(fleet, wanted, lambda one, room=room: replace(one, max_vcpus=one.vcpus * room, max_memory=one.memory * room))  # type: ignore[misc]  # fmt: skip # noqa: E501
        made = decide(wanted, old)
        assert told(made) == (Disruption.RESTART, False)
        assert reasons(made) == f"it was started without room for more {what}"


def test_memory_is_only_given_to_a_running_guest_that_says_that_it_takes_it() -> None:
    fleet, wanted = settled(BASE), sized(memory=1 * GIB)
    made = decide(wanted, silent(fleet, wanted))
    assert told(made) == (Disruption.RESTART, False)
    assert reasons(made) == "its guest has not said that it takes in memory while it runs"


def test_vcpus_are_given_to_any_guest_and_the_plan_says_when_it_has_them() -> None:
    fleet, wanted = settled(BASE), sized(vcpus=3)
    made = decide(wanted, silent(fleet, wanted))
    assert told(made) == (Disruption.LIVE, True)
    assert "has them at its next boot" in reasons(made)
    assert reasons(decide(wanted, fleet.observe(wanted))) == ""


def test_a_bigger_disk_says_when_its_file_system_fills_it() -> None:
    fleet, wanted = settled(BASE), sized(disk=8 * GIB)
    assert "file system fills it at its next boot" in reasons(decide(wanted, fleet.observe(wanted)))


def test_sizes_with_something_that_takes_a_restart_are_a_restart_without_excuses() -> None:
    fleet = settled(BASE)
    wanted = changed(sized(vcpus=3), "web", nics=(*BASE.instances["web"].nics,) * 2)
    made = decide(wanted, fleet.observe(wanted))
    assert told(made) == (Disruption.RESTART, False)
    assert "vCPU" not in reasons(made)


def test_one_that_is_off_just_has_its_new_sizes() -> None:
    fleet, wanted = settled(STOPPED), sized(STOPPED, vcpus=9, memory=576 * MIB, disk=8 * GIB)
    made = decide(wanted, fleet.observe(wanted))
    assert told(made) == (Disruption.NONE, False)
    assert reasons(made) == ""


def test_room_is_nothing_that_a_plan_compares() -> None:
    """Neither a host that became smaller nor one that became bigger makes a change."""
    fleet = settled(BASE)
    for raw in (Usage(vcpus=2, memory=600 * MIB, disk=4 << 40), Usage(vcpus=512, memory=4 << 40, disk=4 << 40)):
        host = fleet.observe(BASE).hosts["kvm-1"]
        assert decide(BASE, Snapshot(hosts={"kvm-1": replace(host, capacity=raw)})).plan.empty


def test_what_was_taken_away_behind_our_back_is_given_back_live() -> None:
    fleet = settled(BASE)
    made = decide(BASE, seen(fleet, BASE, lambda one: replace(one, vcpus=1)))
    assert told(made) == (Disruption.LIVE, True)
    assert [(one.message, one.remedy) for one in made.plan.drift] == [("vcpus: 1, should be 2", "will be set back")]
    more = decide(BASE, seen(fleet, BASE, lambda one: replace(one, vcpus=3)))
    assert told(more) == (Disruption.RESTART, False)
    assert [one.remedy for one in more.plan.drift] == ["will be set back (restart)"]


@pytest.mark.parametrize("sizes", [{"vcpus": 80}, {"memory": 300 * GIB}, {"disk": 5 << 40}])
def test_what_the_host_has_not_got_is_refused_with_numbers_live_or_not(sizes: dict[str, int]) -> None:
    assert "instance.web cannot grow to small on host.kvm-1" in refused(settled(BASE), sized(**sizes))


def test_growing_waits_for_the_room_that_others_leave() -> None:
    big = Flavor(name="big", vcpus=1, memory=255 * GIB, disk=4 * GIB)
    whole = cloud(instance("web"), instance("old", flavor=big), hosts=("kvm-1",))
    fleet = settled(whole)
    wanted = replace(whole, instances={"web": replace(instance("web"), flavor=replace(SMALL, memory=2 * GIB))})
    made = decide(wanted, fleet.observe(wanted)).plan
    (grow,) = [step for step in made.steps if isinstance(step, UpdateInstance)]
    assert grow.live
    assert "kvm-1/instance.old/delete" in grow.waits_for
    assert not fleet.apply(made, wanted).failed
    assert_settled(fleet, wanted)


@pytest.mark.parametrize(
    ("sizes", "raw", "most"),
    [
        ((2, 1 * GIB), (64, 64 * GIB), (8, 4 * GIB)),
        ((2, 1 * GIB), (4, 3 * GIB), (4, 3 * GIB)),
        ((2, 1 * GIB), (1, 1 * MIB), (2, 1 * GIB)),
        ((100, 1 * GIB), (512, 64 * GIB), (240, 4 * GIB)),
        ((300, 1 * GIB), (512, 64 * GIB), (300, 4 * GIB)),
        ((1, 100 * MIB), (4, 1 * GIB), (4, 356 * MIB)),
        ((1, 32 * MIB), (4, 1 * GIB), (4, 160 * MIB)),
    ],
)
def test_headroom_is_four_times_and_never_more_than_the_host(
    sizes: tuple[int, int], raw: tuple[int, int], most: tuple[int, int]
) -> None:
    one = decide(BASE, Fleet().observe(BASE)).desired.instances["web"]
    found = headroom(replace(one, vcpus=sizes[0], memory=sizes[1]), Usage(vcpus=raw[0], memory=raw[1]))
    assert (found.vcpus, found.memory) == most


def test_large_guests_take_memory_in_larger_blocks() -> None:
    large = sized(vcpus=2, memory=62 * GIB)
    fleet = settled(large)
    for more, live in ((1, False), (2, True)):
        wanted = sized(vcpus=2, memory=(62 + more) * GIB)
        assert told(decide(wanted, fleet.observe(wanted)))[1] is live
