"""Few hosts may take what needs a label, and anything else may go there too: nearly full fleets that can be placed."""

from random import Random

import pytest

from cloudsync.model.cloud import Flavor, Host, Wanted, Where
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot, Usage
from cloudsync.scheduler.place import place
from tests.planner.build import GIB, cloud, instance

HOSTS, MEMORY, SPARE = 20, 64, 3
"""How many, and GiB: of each, and what is free on each in the end on average."""
LABELS = {"gpu": "yes"}


def sized(name: str, memory: int, **labels: str) -> Wanted:
    return instance(
        name, flavor=Flavor(name=f"m{memory}", vcpus=1, memory=memory * GIB, disk=GIB), where=Where(labels=labels)
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("each", [12, 15])
def test_what_few_hosts_may_take_finds_a_place_among_much_that_all_may_take(each: int, seed: int) -> None:
    random = Random(seed)  # noqa: S311
    hosts = [
        Host(name=f"h{at:02}", uri="sim:", labels=LABELS if at < 2 else {}, reserved=Usage()) for at in range(HOSTS)
    ]
    capacity = Usage(vcpus=64, memory=MEMORY * GIB, disk=4000 * GIB)
    states = {one.name: HostState(name=one.name, status=HostStatus.READY, capacity=capacity) for one in hosts}
    wanted = [sized(f"gpu-{at:02}", 4, **LABELS) for at in range(2 * each)]
    free = HOSTS * (MEMORY - SPARE) - 4 * len(wanted)
    while free > 0:
        wanted.append(sized(f"any-{len(wanted):03}", random.choice((2, 4, 6, 8, 10))))
        free -= wanted[-1].flavor.memory // GIB
    placed, unplaced = place(cloud(*wanted, hosts=hosts), Snapshot(hosts=states))
    assert [one.instance for one in unplaced] == []
    where = {one.instance: one.host for one in placed}
    assert {where[one.name] for one in wanted if one.where.labels} == {"h00", "h01"}
