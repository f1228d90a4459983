"""What does away with most of a group or of the cloud says so."""

import pytest

from cloudsync.model.cloud import Cloud, PlacementGroup, Where
from cloudsync.pipeline import emptied
from tests.planner.build import changed, cloud, image, instance, without
from tests.planner.test_changes import plan, settled

IMAGES = {one.name: one for one in (image("debian"), image("noble"))}
NEAR = {"near": PlacementGroup(name="near", policy="soft-affinity")}


def whole() -> Cloud:
    """Four counted ones, three that stand near each other, and one by itself."""
    web = [instance(f"web-{at}", base="web", index=at) for at in range(1, 5)]
    near = [instance(name, where=Where(group="near")) for name in ("a", "b", "c")]
    return cloud(*web, *near, instance("db"), images=IMAGES, placement_groups=NEAR)


def anew(before: Cloud, *names: str) -> Cloud:
    for name in names:
        before = changed(before, name, image="noble")
    return before


@pytest.mark.parametrize(
    ("goal", "told"),
    [
        (whole(), []),
        (without(whole(), "web-3", "web-4", "a", "db"), []),
        (without(whole(), "db"), []),
        (without(whole(), "web-2", "web-3", "web-4"), [("instance.web", 3, 4)]),
        (anew(without(whole(), "web-4"), "web-1", "web-2"), [("instance.web", 3, 4)]),
        (anew(whole(), "a", "b"), [("placement_group.near", 2, 3)]),
        (anew(whole(), "web-1", "web-2", "a", "db"), []),
        (anew(whole(), "web-1", "web-2", "a", "db", "b"), [("cloud", 5, 8), ("placement_group.near", 2, 3)]),
        (without(whole(), *whole().instances), [("cloud", 8, 8), ("instance.web", 4, 4)]),
    ],
)
def test_more_than_half_is_most(goal: Cloud, told: list[tuple[str, int, int]]) -> None:
    made = plan(settled(whole()), goal)
    assert [(one.group, len(one.going), one.of) for one in made.mass] == told


def test_one_by_itself_is_no_mass() -> None:
    before = cloud(instance("web"))
    assert not plan(settled(before), without(before, "web")).mass


def test_a_base_that_is_all_of_the_cloud_is_told_once() -> None:
    before = cloud(*(instance(f"web-{at}", base="web", index=at) for at in (1, 2)))
    made = plan(settled(before), without(before, "web-1", "web-2"))
    assert [(one.group, one.going) for one in made.mass] == [("instance.web", ("web-1", "web-2"))]


def test_destroying_the_cloud_has_said_so() -> None:
    assert not plan(settled(whole()), emptied(whole())).mass
