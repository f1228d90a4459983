"""Living members of strict placement groups that break them: who leaves, for where, and what is said of who cannot."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations

import pytest

from cloudsync.model.cloud import Cloud, Host, PlacementGroup, Where
from cloudsync.model.document import Entry, HostDocument
from cloudsync.model.plan import Unplaced
from cloudsync.model.resources import Instance, Nic
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot, Usage
from cloudsync.scheduler.place import place
from tests.laws.worlds import shuffled
from tests.planner.build import GIB, changed, cloud, instance
from tests.scheduler.test_place import host, seen


def grouped(policy: str, *names: str, hosts: tuple[str | Host, ...] = ("a", "b", "c"), most: int = 1) -> Cloud:
    group = PlacementGroup(name="g", policy=policy, max_per_host=most)
    wanted = [instance(name, where=Where(group="g")) for name in names]
    return cloud(*wanted, hosts=hosts, placement_groups={"g": group})


def record(whole: Cloud, name: str, on: str, number: int) -> Instance:
    return Instance(
        name=name,
        uuid=f"11111111-1111-4111-8111-{number:012}",
        incarnation=0,
        host=on,
        image=whole.images["debian"].sha256,
        image_name="debian",
        flavor=whole.instances[name].flavor.name,
        vcpus=whole.instances[name].flavor.vcpus,
        memory=whole.instances[name].flavor.memory,
        disk=whole.instances[name].flavor.disk,
        nics=(Nic(network="default", address=f"10.20.0.{number + 10}", mac=f"52:54:00:00:00:{number:02x}", tap=""),),
    )


def living(whole: Cloud, empty: Snapshot, where: Mapping[str, str]) -> Snapshot:
    """Instances are there already, and every host knows of all."""
    records = {name: record(whole, name, on, number) for number, (name, on) in enumerate(sorted(where.items()))}
    directory = {
        name: Entry(host=one.host, uuid=one.uuid, addresses=tuple(nic.address for nic in one.nics))
        for name, one in records.items()
    }
    states = {}
    for at, there in empty.hosts.items():
        mine = {name: one for name, one in records.items() if one.host == at}
        document = HostDocument(cloud="demo", host=at, generation=1, instances=mine, directory=directory)
        states[at] = replace(there, document=document)
    return Snapshot(hosts=states)


def after(
    whole: Cloud, where: Mapping[str, str], silent: tuple[str, ...] = ()
) -> tuple[dict[str, str], list[Unplaced]]:
    """Where all are in the end, and who has to stay where it may not: once there, they are there for good, and the
    order of the spec's maps is nothing. The `silent` hosts do not answer."""
    silenced = HostState(name="", status=HostStatus.UNREACHABLE)

    def lives(homes: Mapping[str, str]) -> Snapshot:
        hosts = living(whole, seen(whole), homes).hosts
        return Snapshot(hosts={**hosts, **{name: replace(silenced, name=name) for name in silent}})

    placed, unplaced = place(whole, lives(where))
    for order in (1, 2):
        assert place(shuffled(whole, order), lives(where)) == (placed, unplaced)
    found = {one.instance: one.host for one in placed}
    again, left = place(whole, lives(found))
    assert {one.instance: one.host for one in again} == found
    assert [one.instance for one in left] == [one.instance for one in unplaced]
    return found, list(unplaced)


def test_of_too_many_on_a_host_the_first_by_name_stay() -> None:
    whole = grouped("anti-affinity", "w-1", "w-2", "w-3")
    assert after(whole, {"w-1": "a", "w-2": "b", "w-3": "a"}) == ({"w-1": "a", "w-2": "b", "w-3": "c"}, [])


def test_the_first_is_the_lowest_number() -> None:
    whole = grouped("anti-affinity", "web-10", "web-2")
    assert after(whole, {"web-10": "a", "web-2": "a"})[0] == {"web-2": "a", "web-10": "b"}


def test_what_the_spec_wants_there_stays_first() -> None:
    whole = changed(grouped("anti-affinity", "x-1", "x-2"), "x-2", where=Where(host="a", group="g"))
    assert after(whole, {"x-1": "a", "x-2": "a"})[0] == {"x-1": "b", "x-2": "a"}


@pytest.mark.parametrize(("most", "moved"), [(4, 0), (3, 1), (2, 2)])
def test_fewer_allowed_than_live_there(most: int, moved: int) -> None:
    names = [f"x-{number}" for number in range(1, 5)]
    found, unplaced = after(grouped("anti-affinity", *names, most=most), dict.fromkeys(names, "a"))
    assert ([found[name] == "a" for name in names], unplaced) == ([True] * (4 - moved) + [False] * moved, [])


def test_one_that_finds_no_place_stays_and_is_told_in_numbers() -> None:
    whole = grouped("anti-affinity", "x-1", "x-2", "x-3", hosts=("a", "b"))
    found, (left,) = after(whole, dict.fromkeys(("x-1", "x-2", "x-3"), "a"))
    assert found == {"x-1": "a", "x-2": "b", "x-3": "a"}
    assert (left.instance, left.host) == ("x-3", "a")
    assert left.refusals == {"a": "g allows 1 there, and 3 live there", "b": "g has one there"}


def test_none_goes_where_one_of_its_group_has_to_stay() -> None:
    """x-1 must leave a for a zone that has no room, and x-3 leaves b: a only looks empty."""
    hosts = (host("a"), host("b"), host("z", zone="far", reserved=Usage(memory=16 * GIB)))
    whole = grouped("anti-affinity", "x-1", "x-2", "x-3", hosts=hosts)
    whole = changed(whole, "x-1", where=Where(zone="far", group="g"))
    found, unplaced = after(whole, {"x-1": "a", "x-2": "b", "x-3": "b"})
    assert found == {"x-1": "a", "x-2": "b", "x-3": "b"}
    assert [(one.instance, one.host) for one in unplaced] == [("x-1", "a"), ("x-3", "b")]
    assert unplaced[1].refusals["a"] == "g has one there"


def test_what_may_not_be_touched_stays_and_counts() -> None:
    names = ("x-1", "x-2", "x-3")
    whole = grouped("anti-affinity", *names)
    paused = replace(whole, paused=frozenset({"x-2", "x-3"}))
    assert after(paused, dict.fromkeys(names, "a")) == ({"x-1": "b", "x-2": "a", "x-3": "a"}, [])
    assert after(whole, dict.fromkeys(names, "a"), silent=("a",)) == (dict.fromkeys(names, "a"), [])


def test_nothing_goes_in_the_place_of_what_a_plan_leaves_out() -> None:
    """Else a part of a plan would do what the whole of it does not."""
    whole = replace(grouped("anti-affinity", "x-1", "x-2"), held=frozenset({"x-2"}))
    assert after(whole, dict.fromkeys(("x-1", "x-2"), "a")) == (dict.fromkeys(("x-1", "x-2"), "a"), [])


def test_what_belongs_together_comes_together_where_most_of_it_lives() -> None:
    whole = grouped("affinity", "x-1", "x-2", "x-3", "x-4")
    where = {"x-1": "b", "x-2": "a", "x-3": "b", "x-4": "c"}
    assert after(whole, where) == (dict.fromkeys(where, "b"), [])
    assert after(whole, {"x-1": "c", "x-2": "b", "x-3": "b", "x-4": "c"}) == (dict.fromkeys(where, "b"), [])


@pytest.mark.parametrize("pinned", ["x-1", "x-3"])
def test_the_spec_s_own_host_of_a_member_is_home(pinned: str) -> None:
    """Whether it is there or goes there."""
    whole = changed(grouped("affinity", "x-1", "x-2", "x-3"), pinned, where=Where(host="c", group="g"))
    where = {"x-1": "a", "x-2": "a", "x-3": "c"}
    assert after(whole, where) == (dict.fromkeys(where, "c"), [])


def test_new_members_go_home_too() -> None:
    """x-3 may not be touched, and the host that it is on is not for others."""
    whole = replace(grouped("affinity", "x-1", "x-2", "x-3", "x-4"), paused=frozenset({"x-3"}))
    where = {"x-1": "b", "x-2": "b", "x-3": "a"}
    assert after(whole, where) == ({**where, "x-4": "b"}, [])


def test_those_whose_home_does_not_take_them_stay_and_are_told() -> None:
    hosts = (host("a", reserved=Usage(memory=15 * GIB)), host("b"), host("c"))
    names = ("x-1", "x-2", "x-3")
    whole = grouped("affinity", *names, hosts=hosts)
    where = {"x-1": "a", "x-2": "a", "x-3": "b"}
    found, (left,) = after(whole, where)
    assert (found, left.instance, left.host) == (where, "x-3", "b")
    assert left.refusals == {
        "a": "needs 512 MiB of memory, 0 B free",
        "b": "g keeps together, and 2 of 3 live on a",
        "c": "g is on a",
    }


@pytest.mark.parametrize("policy", ["soft-affinity", "soft-anti-affinity"])
def test_soft_groups_move_nothing(policy: str) -> None:
    where = {"x-1": "a", "x-2": "a", "x-3": "b"}
    assert after(grouped(policy, *where), where) == (where, [])


def test_wherever_members_live_one_plan_puts_them_right() -> None:
    """Of every way that four may live on three hosts."""
    names = ("x-1", "x-2", "x-3", "x-4")
    for where in {tuple(one) for one in permutations("aaaabbbbcccc", 4)}:
        spread, left = after(grouped("anti-affinity", *names, most=2), dict(zip(names, where, strict=True)))
        assert not left
        assert max(list(spread.values()).count(one) for one in "abc") <= 2
        near, left = after(grouped("affinity", *names), dict(zip(names, where, strict=True)))
        assert (len(set(near.values())), left) == (1, [])
