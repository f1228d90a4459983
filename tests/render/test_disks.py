"""Data disks in `status` and `host list`: what each instance has, what is wrong with it, and the room that it takes."""

from dataclasses import replace

from cloudsync.render import hosts, status
from tests.planner.build import GIB
from tests.planner.cases import settled
from tests.planner.disks import PLAIN, TWO, drifted, ids


def test_status_lists_them_and_says_what_is_wrong() -> None:
    fleet = settled(TWO)
    (row,) = status.document(TWO, fleet.observe(TWO))["instances"]
    assert row["disks"] == [{"name": "data", "size": 10 * GIB}, {"name": "logs", "size": 5 * GIB}]
    assert row["problems"] == []
    assert "small + data 10 GiB + logs 5 GiB" in status.text(TWO, fleet.observe(TWO))
    names = ids(fleet)
    drifted(fleet, attached=frozenset())
    state = fleet.hosts["kvm-1"].state
    fleet.hosts["kvm-1"].state = replace(state, data={names["logs"]: state.data[names["logs"]]})
    (row,) = status.document(TWO, fleet.observe(TWO))["instances"]
    assert row["problems"] == [
        f"its disk data is gone: {names['data']}.data.qcow2",
        "its disk logs is not attached",
    ]


def test_they_count_as_what_their_host_has_given_away() -> None:
    used = [hosts.document(cloud, settled(cloud).observe(cloud))["hosts"][0]["used"]["disk"] for cloud in (PLAIN, TWO)]
    assert used[1] - used[0] == 15 * GIB
