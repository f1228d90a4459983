"""Care: whatever changes, in whatever order steps are done that may be done, only so many of a group are down."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from operator import itemgetter
from random import Random
from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from cloudsync.model.cloud import Cloud, PlacementGroup, Update, Where
from cloudsync.model.plan import Plan
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import HostState
from cloudsync.model.step import (
    AwaitInstance,
    CreateInstance,
    DeleteInstance,
    MoveInstance,
    StartInstance,
    Step,
    StopInstance,
    UpdateInstance,
)
from tests.laws.fleet import Fleet, decide
from tests.laws.journey import possible, reach
from tests.laws.many import law
from tests.laws.settled import assert_settled
from tests.planner.build import SMALL, cloud, image, instance, network

HOSTS = ("kvm-1", "kvm-2", "kvm-3")
IMAGES = {one.name: one for one in (image("debian"), image("noble"))}
NEAR = {"near": PlacementGroup(name="near", policy="soft-affinity")}
PLACES = (Where(), Where(group="near"), *(Where(host=name) for name in HOSTS))
OFTEN = st.sampled_from((True, True, True, False))
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "flavor": st.sampled_from((SMALL, SMALL, replace(SMALL, vcpus=2))),
    "image": st.sampled_from(("debian", "debian", "noble")),
    "where": st.sampled_from(PLACES),
    "groups": st.sampled_from((("default",), ("default", "web"))),
    "state": st.sampled_from((*(Power.RUNNING,) * 8, Power.STOPPED)),
}
NEW = {**FIELDS, "flavor": st.just(replace(SMALL, memory=SMALL.memory // 2)), "image": st.just("noble")}


def careful(whole: Cloud, most: int) -> Cloud:
    """Every base and every placement group has an `update`."""
    update = Update(max_unavailable=most)
    instances = {name: replace(one, update=update) for name, one in whole.instances.items()}
    groups = {name: replace(one, update=update) for name, one in whole.placement_groups.items()}
    return replace(whole, instances=instances, placement_groups=groups)


@st.composite
def changes(draw: st.DrawFn) -> tuple[Cloud, Cloud]:
    """A careful cloud of several of each, mostly running, and the same after most of each are to be something else."""
    start, goal = [], []
    for base in ("app", "web"):
        what = draw(st.sampled_from(("flavor", "image", "where", "flavor", "groups")))
        news = {what: draw(NEW[what])}
        if what == "where" and draw(OFTEN):
            news["flavor"] = draw(NEW["flavor"])
        counts = draw(st.tuples(st.sampled_from((4, 3, 2)), st.sampled_from((4, 3, 5))))
        for index in range(1, max(counts) + 1):
            fields = {field: draw(part) for field, part in FIELDS.items()}
            one = instance(f"{base}-{index}", base=base, index=index, **fields)
            start += [one] if index <= counts[0] else []
            goal += [replace(one, **news) if draw(OFTEN) else one] if index <= counts[1] else []
    most = draw(st.sampled_from((1, 2)))
    before, after = (
        cloud(*wanted, hosts=HOSTS, images=IMAGES, placement_groups=NEAR, networks={"default": network()})
        for wanted in (start, goal)
    )
    return careful(before, most), careful(after, most)


@law
@given(changes())
def test_a_careful_world_reaches_any_other_and_is_then_quiet(stops: tuple[Cloud, Cloud]) -> None:
    fleet = Fleet()
    for stop in (*stops, stops[0]):
        assert_settled(fleet, reach(fleet, stop))


@law
@given(changes(), st.integers(0, 30))
def test_a_roll_that_was_cut_off_goes_on(stops: tuple[Cloud, Cloud], steps: int) -> None:
    fleet = Fleet()
    reach(fleet, stops[0])
    goal = possible(fleet, stops[1])
    fleet.apply(decide(goal, fleet.observe(goal)).plan, goal, stop_after=steps)
    assert_settled(fleet, reach(fleet, goal))


@law
@given(changes(), st.randoms(use_true_random=False))
def test_never_more_are_down_than_may_be(stops: tuple[Cloud, Cloud], chance: Random) -> None:
    fleet = Fleet()
    reach(fleet, stops[0])
    _break_some(fleet, chance)
    goal = possible(fleet, stops[1])
    plan = decide(goal, fleet.observe(goal)).plan
    for _ in range(3):
        down = _Down(plan, goal, fleet)
        for step in _some_order(plan, chance):
            down.begin(step)
            down.end(step)


def _break_some(fleet: Fleet, chance: Random) -> None:
    """One in three is off."""
    for host in fleet.hosts.values():
        machines = {
            uuid: replace(one, power=Power.STOPPED) if chance.random() < 1 / 3 else one
            for uuid, one in sorted(host.state.machines.items(), key=itemgetter(0))
        }
        host.state = replace(host.state, machines=machines)


def _some_order(plan: Plan, chance: Random) -> Iterator[Step]:
    done: set[str] = set()
    left = list(plan.steps)
    while left:
        step = chance.choice([one for one in left if done.issuperset(one.waits_for)])
        left.remove(step)
        done.add(step.id)
        yield step


class _Down:
    """Who is down, by the names that the spec has; what is to be off is nobody's loss."""

    def __init__(self, plan: Plan, goal: Cloud, fleet: Fleet) -> None:
        self.goal = goal
        snapshot = fleet.observe(goal)
        self.names = _names(snapshot.hosts, plan)
        self.wanted = {name for name, one in goal.instances.items() if one.state is Power.RUNNING}
        up = {uuid for host in snapshot.hosts.values() for uuid, one in host.machines.items() if _runs(one.power)}
        self.up = {self.names[uuid] for uuid in up if uuid in self.names} & self.wanted
        self.awaits = {step.address for step in plan.steps if isinstance(step, AwaitInstance)}

    def begin(self, step: Step) -> None:
        name = _taken_down(step, self.names)
        if name not in self.up:
            return
        self.up.discard(name)
        for members, update in _circles(self.goal):
            wanted = members & self.wanted
            if name in members and len(members) > update.max_unavailable:
                assert len(wanted - self.up) <= update.max_unavailable, (step.id, wanted - self.up)

    def end(self, step: Step) -> None:
        """Who is awaited is up no sooner."""
        name = step.address.removeprefix("instance.")
        comes = isinstance(step, AwaitInstance) or (
            isinstance(step, CreateInstance | StartInstance | UpdateInstance | MoveInstance)
            and step.address not in self.awaits
        )
        if comes and name in self.wanted:
            self.up.add(name)


def _runs(power: Power) -> bool:
    return power is Power.RUNNING


def _names(hosts: Mapping[str, HostState], plan: Plan) -> dict[str, str]:
    """What the spec calls each machine that there is."""
    renamed = {field.before: one.address for one in plan.changes for field in one.fields if field.path == "name"}
    known = {uuid: one.name for host in hosts.values() for uuid, one in host.machines.items()}
    return {uuid: renamed.get(name, f"instance.{name}").removeprefix("instance.") for uuid, name in known.items()}


def _taken_down(step: Step, names: Mapping[str, str]) -> str:
    if isinstance(step, DeleteInstance | StopInstance):
        return "" if step.id.endswith(("/delete-moved", "/delete-copy")) else names.get(step.uuid, "")
    if isinstance(step, UpdateInstance) and not step.live:
        return step.instance.name
    return step.instance.name if isinstance(step, MoveInstance) and not step.live else ""


def _circles(whole: Cloud) -> Iterator[tuple[set[str], Update]]:
    for base in {one.base for one in whole.instances.values()}:
        members = {name for name, one in whole.instances.items() if one.base == base}
        update = next(one.update for one in whole.instances.values() if one.base == base)
        if update:
            yield members, update
    for name, group in whole.placement_groups.items():
        if group.update:
            yield {one.name for one in whole.instances.values() if one.where.group == name}, group.update
