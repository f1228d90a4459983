"""Killed at any moment: between two steps or within one, whatever was lost is finished by the next apply."""

from threading import Event as Flag

import hypothesis.strategies as st
from hypothesis import given

from cloudsync.apply.events import Event, Started
from cloudsync.apply.execute import execute
from cloudsync.model.cloud import Cloud
from cloudsync.pipeline import blobs
from tests.laws.fleet import Fleet, decide
from tests.laws.halves import States, halves
from tests.laws.journey import possible, reach
from tests.laws.many import law
from tests.laws.settled import assert_settled
from tests.laws.worlds import journeys

MOMENTS = 6
"""Of one apply."""


@law
@given(journeys(2), st.lists(st.integers(0, 9999), min_size=MOMENTS, max_size=MOMENTS))
def test_killed_at_any_moment(stops: tuple[Cloud, ...], numbers: list[int]) -> None:
    """It converges, no instance is there twice, and no disk is lost that an apply in one go keeps."""
    start, goal = stops
    fleet = Fleet()
    reach(fleet, start)
    goal = possible(fleet, goal)
    before = fleet.disks()
    moments = _moments(fleet, goal)
    kept = before & fleet.disks()
    for number in numbers:
        _restore(fleet, moments[number % len(moments)])
        assert_settled(fleet, reach(fleet, goal))
        assert kept <= fleet.disks()


def _moments(fleet: Fleet, cloud: Cloud) -> list[States]:
    """What the hosts hold before each step, within it, and at the end."""
    found: list[States] = []

    def seen(event: Event) -> None:
        if isinstance(event, Started):
            states = _states(fleet)
            found.append(states)
            found.extend(halves(event.step, states))

    plan = decide(cloud, fleet.observe(cloud)).plan
    outcome = execute(plan, fleet.hosts, blobs(cloud), seen, 1, Flag())
    assert not outcome.failed
    return [*found, _states(fleet)]


def _states(fleet: Fleet) -> States:
    return {name: host.state for name, host in fleet.hosts.items()}


def _restore(fleet: Fleet, states: States) -> None:
    for name, state in states.items():
        fleet.hosts[name].state = state
