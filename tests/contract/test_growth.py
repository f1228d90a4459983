"""Machines that grow while they run, and what no driver does to one that runs."""

from dataclasses import replace

import pytest

from cloudsync.model.problem import HostError
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import Usage
from tests.contract.site import MIB, Site
from tests.contract.test_contract import start, stop

MOST = Usage(vcpus=4, memory=(32 + 256) * MIB)
MORE = Usage(vcpus=8, memory=(32 + 512) * MIB)


def test_all_of_it_grows_while_it_runs_and_twice_is_once(site: Site) -> None:
    one = site.running(most=MOST)
    before = site.machine(one)
    assert (before.max_vcpus, before.max_memory) == (MOST.vcpus, MOST.memory)
    bigger = replace(one, vcpus=3, memory=(32 + 128) * MIB, disk=16 * MIB)
    site.record(bigger)
    for _ in range(2):
        site.update(bigger, most=MORE, live=True)
        assert site.machine(one) == replace(
            before, vcpus=3, memory=bigger.memory, disk=16 * MIB, generation=site.state.generation
        )


def test_it_grows_again_and_its_next_start_has_it_all_and_new_room(site: Site) -> None:
    one = site.running(most=MOST)
    for number in (1, 2):
        bigger = replace(one, vcpus=1 + number, memory=(32 + 128 * number) * MIB, disk=(8 + number) * MIB)
        site.record(bigger)
        site.update(bigger, most=MORE, live=True)
        running = site.machine(one)
        assert (running.vcpus, running.memory, running.disk) == (bigger.vcpus, bigger.memory, bigger.disk)
    stop(site, one.uuid)
    start(site, one.uuid)
    assert site.machine(one) == replace(running, max_vcpus=MORE.vcpus, max_memory=MORE.memory)


@pytest.mark.parametrize("wanted", [{"vcpus": 5}, {"memory": (32 + 384) * MIB}])
def test_more_than_it_was_started_with_room_for_is_refused_and_it_runs_on(site: Site, wanted: dict[str, int]) -> None:
    one = site.running(most=MOST)
    bigger = replace(one, **wanted)  # type: ignore[arg-type]
    site.record(bigger)
    with pytest.raises(HostError, match="cannot grow while it runs") as caught:
        site.update(bigger, most=MORE, live=True)
    assert "then apply" in caught.value.hint
    machine = site.machine(one)
    assert (machine.power, machine.vcpus, machine.memory) == (Power.RUNNING, one.vcpus, one.memory)
    stop(site, one.uuid)
    site.update(bigger, most=MORE)
    machine = site.machine(one)
    assert (machine.power, machine.vcpus, machine.memory) == (Power.RUNNING, bigger.vcpus, bigger.memory)


def test_one_that_was_made_without_room_has_none_until_it_is_written_anew(site: Site) -> None:
    one = site.running()
    machine = site.machine(one)
    assert (machine.max_vcpus, machine.max_memory) == (one.vcpus, one.memory)
    with pytest.raises(HostError, match="cannot grow while it runs"):
        site.update(replace(one, vcpus=2), most=MOST, live=True)
    stop(site, one.uuid)
    site.update(one, most=MOST)
    machine = site.machine(one)
    assert (machine.vcpus, machine.max_vcpus, machine.max_memory) == (1, MOST.vcpus, MOST.memory)


def test_nothing_is_taken_away_while_it_runs(site: Site) -> None:
    one = replace(site.instance(), vcpus=2, memory=64 * MIB)
    site.fetch()
    site.record(one)
    site.create(one, MOST)
    for less in ({"vcpus": 1}, {"memory": 48 * MIB}):
        with pytest.raises(HostError, match="bigger by now"):
            site.update(replace(one, **less), most=MOST, live=True)  # type: ignore[arg-type]
    machine = site.machine(one)
    assert (machine.power, machine.vcpus, machine.memory) == (Power.RUNNING, 2, 64 * MIB)


def test_one_that_went_off_meanwhile_is_bigger_when_it_is_started(site: Site) -> None:
    one = site.running(most=MOST)
    stop(site, one.uuid)
    bigger = replace(one, vcpus=2, memory=64 * MIB, disk=16 * MIB)
    site.record(bigger)
    site.update(bigger, most=MOST, live=True)
    machine = site.machine(one)
    assert (machine.power, machine.vcpus, machine.memory, machine.disk) == (Power.RUNNING, 2, 64 * MIB, 16 * MIB)
