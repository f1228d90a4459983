"""A few random changes on three hosts: what happens is what the plan says, and the next plan is empty."""

import pytest

from tests.kill.journey import Journey
from tests.kill.spec import Cloud
from tests.kill.truth import confirm
from tests.kill.worlds import Worlds

pytestmark = pytest.mark.real

PAIRS = 10


def test_the_plan_is_true(on_three: Journey) -> None:
    now, count = Cloud(boxes={}), 0
    on_three.begin(now)
    worlds = Worlds(0, tuple(on_three.place.hosts))
    while count < PAIRS:
        goal = worlds.after(now)
        if confirm(on_three, goal):
            now, count = goal, count + 1
