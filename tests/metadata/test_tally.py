"""How guests were answered, counted in the process and told to the agent, who believes nothing else."""

from pathlib import Path
from typing import Any

import pytest

from cloudsync.agent.metadata.tally import STATUSES, TREES, Tally, from_json
from tests.metadata import world
from tests.metadata.running import Running


@pytest.mark.slow
def test_each_answer_is_counted_by_tree_and_status(service: Running) -> None:
    paths = ["/openstack/latest/meta_data.json", "/latest/meta-data/hostname", "/2009-04-04/meta-data/", "/nothing"]
    for path in [*paths, "/", "/cloudsync/report", "/%2e%2e/openstack/latest/meta_data.json"]:
        service.ask(world.ADDRESS_A, path)
    service.ask(world.STRANGER, "/openstack")
    service.ask(world.ADDRESS_A, "/" + "x" * 20_000)
    assert service.answers(9) == {
        ("openstack", 200): 2,
        ("openstack", 404): 1,
        ("ec2", 200): 2,
        ("ec2", 404): 1,
        ("none", 200): 1,
        ("none", 414): 1,
        ("cloudsync", 404): 1,
    }


@pytest.mark.slow
def test_what_was_asked_while_there_was_no_agent_is_told_to_the_next(tmp_path: Path) -> None:
    with Running(tmp_path) as running:
        running.part.apply(world.two())
        running.leave()
        for _ in range(3):
            running.ask(world.ADDRESS_A, "/openstack")
        with Running(tmp_path, port=running.port) as successor:
            successor.part.apply(world.two())
            successor.ask(world.ADDRESS_B, "/openstack")
            assert successor.answers(4) == {("openstack", 200): 4}


def test_all_that_can_be_counted_can_be_told() -> None:
    tally = Tally()
    for tree in TREES:
        for status in STATUSES:
            tally.add((tree,) if tree != "none" else (), status)
    assert from_json(tally.taken()) == {(tree, status): 1 for tree in TREES for status in STATUSES}
    assert tally.taken() == {}


@pytest.mark.parametrize(
    "plain",
    [
        [],
        None,
        {"openstack 201": 1},
        {"web-1 200": 1},
        {"openstack 200": -1},
        {"openstack 200": True},
        {"openstack 200": 1.5},
        {"openstack 200": "1"},
        {"openstack 200": 1 << 41},
        {"openstack 200": 1, 'x"} 1\nevil': 1},
    ],
)
def test_a_process_that_was_taken_over_cannot_say_more(plain: Any) -> None:
    with pytest.raises(ValueError, match="not "):
        from_json(plain)
