"""The picture of a plan, which is made of documents, shows what the plan says: who comes and goes, and what opens."""

from collections.abc import Iterable
from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import assume, given

from cloudsync import pipeline
from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Action, Exposed, Plan
from cloudsync.model.problem import CloudsyncError, SpecError
from cloudsync.pipeline import compare, drawn, drawn_apart
from cloudsync.reach.picture import Mark, Picture
from cloudsync.spec.versions import Version
from tests.laws.fleet import Fleet, decide
from tests.laws.journey import reach
from tests.laws.many import law
from tests.laws.test_lost import unplugged
from tests.laws.worlds import journeys

Pairs = set[tuple[str, str, str]]


def pairs(lines: Iterable[Exposed]) -> Pairs:
    return {
        (one, other, service)
        for line in lines
        for one in line.sources
        for other in line.targets
        for service in line.services
        if one != other or (len(line.sources), len(line.targets)) == (1, 1)
    }


def shown(found: Picture, mark: Mark) -> Pairs:
    names = {node.id: node.names for node in found.nodes}
    lines = [
        Exposed(
            sources=tuple(name for one in flow.sources for name in names[one]),
            targets=tuple(name for one in flow.targets for name in names[one]),
            services=flow.services,
        )
        for flow in found.flows
        if flow.mark is mark
    ]
    return pairs(lines)


def agrees(found: Picture, plan: Plan) -> None:
    assert shown(found, Mark.NEW) == pairs(plan.exposure.added)
    assert shown(found, Mark.GONE) == pairs(plan.exposure.removed)
    marked = {name: node.mark for node in found.nodes for name in node.names if node.networks}
    actions = {one.address: one.action for one in plan.changes if one.address.startswith("instance.")}
    made = {name for name, action in actions.items() if action is Action.CREATE}
    kept = {name for name, action in actions.items() if action not in (Action.CREATE, Action.DELETE, Action.REPAIR)}
    assert {name for name, mark in marked.items() if mark is Mark.NEW} <= made
    assert all(marked[name] is Mark.NEW for name in made & marked.keys()), "made anew after it was lost"
    assert all(marked[name] is not Mark.SAME for name in kept)


@law
@given(journeys(2))
def test_a_plan(stops: tuple[Cloud, ...]) -> None:
    fleet = Fleet()
    reach(fleet, stops[0])
    snapshot = fleet.observe(stops[1])
    try:
        plan = decide(stops[1], snapshot).plan
    except SpecError:
        return
    found = drawn(plan, stops[1], snapshot)
    agrees(found, plan)
    after = {host: set(one.after or ()) for host, one in found.hosts.items()}
    before = {host: set(one.before or ()) for host, one in found.hosts.items()}
    coming = {(one.instance, one.host) for one in plan.placements}
    assert all(name in after[host] for name, host in coming)
    reach(fleet, stops[1])
    quiet = drawn(Plan(cloud="x"), stops[1], fleet.observe(stops[1]))
    assert {node.mark for node in quiet.nodes} | {flow.mark for flow in quiet.flows} <= {Mark.SAME}
    assert {host: set(one.before or ()) for host, one in quiet.hosts.items() if one.before} == {
        host: names for host, names in after.items() if names
    }
    assert before.keys() <= found.hosts.keys()


@law
@given(journeys(2), st.integers(0, 9))
def test_a_part_of_a_plan(stops: tuple[Cloud, ...], which: int) -> None:
    """What is left out of it is shown as it stays."""
    fleet = Fleet()
    reach(fleet, stops[0])
    snapshot = fleet.observe(stops[1])
    try:
        whole = decide(stops[1], snapshot).plan
        addresses = [one.address for one in whole.changes if one.address.startswith("instance.")]
        aimed = replace(stops[1], targets=tuple(addresses[which % len(addresses) :][:2]) if addresses else ())
        plan = pipeline.decide(aimed, snapshot, "who@where")
    except CloudsyncError:
        return
    agrees(drawn(plan, aimed, snapshot), plan)


@law
@given(journeys(2), st.integers(0, 2))
def test_a_plan_beside_a_silent_host(stops: tuple[Cloud, ...], which: int) -> None:
    """What lives there is in the picture, on that host, before and after."""
    fleet, there, silent = unplugged(stops[0], which)
    assume(set(stops[1].hosts) == set(there.hosts))
    snapshot = fleet.observe(stops[1])
    try:
        plan = decide(stops[1], snapshot).plan
    except SpecError:
        return
    found = drawn(plan, stops[1], snapshot)
    agrees(found, plan)
    document = fleet.hosts[silent].state.document
    left = {one for one in (document.instances if document else {}) if one in stops[1].instances}
    assert left <= set(found.hosts[silent].after or ()) if left else True


@law
@given(journeys(2))
def test_a_change_of_the_spec(stops: tuple[Cloud, ...]) -> None:
    was, now = Version("a", "cloud.yaml", stops[0]), Version("b", "cloud.yaml", stops[1])
    try:
        found = compare(was, now)
    except SpecError:
        return
    picture = drawn_apart(found, was, now)
    assert picture
    agrees(picture, found.plan)
