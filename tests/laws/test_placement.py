"""What holds for every placement: it obeys every rule, the order of the input changes nothing, what is placed stays
unless the spec says so."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cloudsync.model.cloud import Cloud
from cloudsync.model.snapshot import HostStatus, Snapshot
from cloudsync.scheduler.filters import CONSTRAINTS, explicit_host, why_move, why_not
from cloudsync.scheduler.place import Placements, place
from cloudsync.scheduler.room import Room
from cloudsync.scheduler.standing import standing
from tests.laws.fleet import Fleet
from tests.laws.journey import reach
from tests.laws.many import law
from tests.laws.worlds import journeys, shuffled
from tests.scheduler.fleets import fleet
from tests.scheduler.test_astray import living


def obeys(cloud: Cloud, snapshot: Snapshot, placed: Placements) -> None:
    """Every filter, judged once all are where they were placed."""
    rooms = {name: Room.of(cloud.hosts[name], state) for name, state in standing(cloud, snapshot).items()}
    for one in placed:
        rooms[one.host].take(cloud.instances[one.instance])
    for one in placed:
        wanted, room = cloud.instances[one.instance], rooms[one.host]
        assert why_not((*CONSTRAINTS, explicit_host), cloud, wanted, room) is None
        assert one.host not in one.refusals
        assert one.runner_up is None or (one.runner_up != one.host and one.runner_up not in one.refusals)
    for room in rooms.values():
        assert room.vcpus <= room.limit.vcpus
        assert room.memory <= room.limit.memory
        assert room.disk <= room.limit.disk
        for name, count in room.members.items():
            group = cloud.placement_groups[name]
            assert group.policy != "anti-affinity" or count <= group.max_per_host
    for group in cloud.placement_groups.values():
        on = {one.host for one in placed if cloud.instances[one.instance].where.group == group.name}
        assert group.policy != "affinity" or len(on) <= 1


@law
@given(st.integers(0, 10_000), st.sampled_from(("spread", "pack")), st.integers(1, 4))
def test_every_placement_obeys_every_rule_in_any_order(seed: int, strategy: str, order: int) -> None:
    """On nearly full fleets, where units have to be moved about to find places for all."""
    cloud, snapshot = fleet(seed, strategy)
    placed, unplaced = place(cloud, snapshot)
    obeys(cloud, snapshot, placed)
    assert {one.instance for one in placed} | {one.instance for one in unplaced} == cloud.instances.keys()
    assert place(shuffled(cloud, order), snapshot) == (placed, unplaced)
    strict = {name for name, group in cloud.placement_groups.items() if not group.policy.startswith("soft-")}
    left = {cloud.instances[one.instance].where.group for one in unplaced} & strict
    assert not left & {cloud.instances[one.instance].where.group for one in placed}


@law
@given(journeys(2))
def test_what_is_placed_stays(stops: tuple[Cloud, ...]) -> None:
    fleet = Fleet()
    start = reach(fleet, stops[0])
    snapshot = fleet.observe(stops[1])
    before = {one.name: name for name, host in fleet.hosts.items() for one in host.state.machines.values()}
    after = {one.instance: one.host for one in place(stops[1], snapshot)[0]}
    for name in start.instances.keys() & after.keys() & before.keys():
        assert after[name] == before[name] or may_not_stay(stops[1], snapshot, name, before)


@law
@given(st.integers(0, 10_000), st.sampled_from(("spread", "pack")), st.integers(1, 4))
def test_groups_that_are_new_to_what_lives_are_put_right_once(seed: int, strategy: str, order: int) -> None:
    """Whoever stays where its group is broken is named, and the next plan moves nobody."""
    cloud, empty = fleet(seed, strategy)
    loose = {name: replace(one, where=replace(one.where, group=None)) for name, one in cloud.instances.items()}
    before = {one.instance: one.host for one in place(replace(cloud, instances=loose), empty)[0]}
    snapshot = living(cloud, empty, before)
    placed, unplaced = place(cloud, snapshot)
    assert place(shuffled(cloud, order), snapshot) == (placed, unplaced)
    after = {one.instance: one.host for one in placed}
    assert {one.instance: one.host for one in place(cloud, living(cloud, empty, after))[0]} == after
    named = {one.instance for one in unplaced}
    for name in after.keys() & before.keys() - named:
        assert after[name] == before[name] or breaks(cloud, name, before)
    broken = {cloud.instances[name].where.group for name in after if breaks(cloud, name, after)}
    assert broken <= {cloud.instances[name].where.group for name in named}
    for host, state in standing(cloud, empty).items():
        room = Room.of(cloud.hosts[host], state)
        for name in (name for name in after if after[name] == host):
            room.take(cloud.instances[name])
        assert room.vcpus <= room.limit.vcpus
        assert room.memory <= room.limit.memory
        assert room.disk <= room.limit.disk


def may_not_stay(cloud: Cloud, snapshot: Snapshot, name: str, homes: Mapping[str, str]) -> bool:
    """Only the spec's word moves what is there."""
    host = homes[name]
    room = Room.of(cloud.hosts[host], snapshot.hosts[host])
    drained = cloud.hosts[host].state is HostStatus.DRAINED
    return drained or why_move(cloud, cloud.instances[name], room) is not None or breaks(cloud, name, homes)


def breaks(cloud: Cloud, name: str, homes: Mapping[str, str]) -> bool:
    """Whether its group is broken where it is: something else of it may be what stays."""
    group = cloud.placement_groups.get(cloud.instances[name].where.group or "")
    if group is None:
        return False
    members = {one for one, wanted in cloud.instances.items() if wanted.where.group == group.name}
    near = [one for one in members & homes.keys() if homes[one] == homes[name]]
    pinned = any(cloud.instances[one].where.host not in (None, homes[name]) for one in members)
    apart = pinned or any(homes[one] != homes[name] for one in members & homes.keys())
    return {"anti-affinity": len(near) > group.max_per_host, "affinity": apart}.get(group.policy, False)
