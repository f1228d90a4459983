"""What the death of a host would mean: the same rules, the rest staying, and every refusal told."""

from dataclasses import replace

from cloudsync.model.cloud import Cloud, Flavor, PlacementGroup, Wanted, Where
from cloudsync.scheduler.loss import losses, lost, worst
from tests.planner.build import GIB, cloud, instance
from tests.scheduler.test_place import host, seen

HALF = Flavor(name="half", vcpus=2, memory=8 * GIB, disk=10 * GIB)


def three(*wanted: Wanted, policy: str = "anti-affinity") -> Cloud:
    """Hosts with room for two halves each."""
    groups = {"g": PlacementGroup(name="g", policy=policy)}
    return cloud(*wanted, hosts=(host("a"), host("b"), host("c", zone="far")), placement_groups=groups)


def test_they_go_to_the_rest_and_nowhere_else_moves() -> None:
    whole = three(*(instance(name, flavor=HALF) for name in "wxyz"))
    found = lost(whole, seen(whole), {"w": "a", "x": "a", "y": "b", "z": "c"}, "a")
    assert [(one.instance, one.host) for one in found.homes] == [("w", "b"), ("x", "c")]
    assert found.homes[0].refusals == {"a": "lost"}
    assert not found.homeless


def test_one_for_which_there_is_no_room_is_told_why() -> None:
    whole = three(*(instance(name, flavor=HALF) for name in "vwxyz"))
    found = lost(whole, seen(whole), {"v": "a", "w": "a", "x": "b", "y": "b", "z": "c"}, "a")
    assert [(one.instance, one.host) for one in found.homes] == [("v", "c")]
    full = "needs 8 GiB of memory, 0 B free"
    assert [(one.instance, dict(one.refusals)) for one in found.homeless] == [
        ("w", {"a": "lost", "b": full, "c": full})
    ]


def test_rules_hold_and_some_of_a_strict_group_are_better_than_none() -> None:
    wanted = [instance(name, where=Where(group="g")) for name in "xyz"]
    whole = three(*wanted, instance("pinned", where=Where(host="a")))
    found = lost(whole, seen(whole), {"x": "a", "y": "b", "z": "c", "pinned": "a"}, "a")
    assert not found.homes
    reasons = {one.instance: dict(one.refusals) for one in found.homeless}
    assert reasons["x"] == {"a": "lost", "b": "g has one there", "c": "g has one there"}
    assert reasons["pinned"]["b"] == "the spec says host.a"
    two = replace(whole, placement_groups={"g": PlacementGroup(name="g", policy="anti-affinity", max_per_host=2)})
    where = {"x": "a", "y": "a", "z": "b", "pinned": "a"}
    assert [one.instance for one in lost(two, seen(two), where, "a").homes] == ["x", "y"]


def test_the_worst_host_is_the_one_that_leaves_most_without_a_home() -> None:
    whole = three(*(instance(name, flavor=HALF) for name in "uvwxyz"))
    where = {"u": "a", "v": "a", "w": "b", "x": "b", "y": "c"}
    found = worst(losses(whole, seen(whole), where))
    assert found
    assert (found.host, [one.instance for one in found.homeless]) == ("a", ["v"])
    assert worst(losses(whole, seen(whole), {"u": "a", "w": "b", "y": "c"})) is None


def test_what_must_be_together_finds_a_home_together() -> None:
    """The host that died is no home of theirs any more."""
    whole = three(*(instance(name, where=Where(group="g")) for name in "xy"), policy="affinity")
    found = lost(whole, seen(whole), {"x": "b", "y": "b"}, "b")
    assert ([one.host for one in found.homes], found.homeless) == (["a", "a"], ())
