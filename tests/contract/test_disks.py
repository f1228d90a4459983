"""What every driver promises of data disks: made, attached, grown, kept, and removed only when told to."""

from dataclasses import replace

from cloudsync.model.resources import DataDisk, Instance, Power
from cloudsync.planner.identity import tap_and_mac
from tests.contract.site import MIB, Site


def there(site: Site, one: Instance) -> tuple[dict[str, int], set[str], tuple[str, ...]]:
    """What the machine's mark names with the size that it has, what is attached, and what else is."""
    machine = site.machine(one)
    return {disk.name: disk.size for disk in machine.disks}, set(machine.attached), machine.strange


def made(site: Site, *disks: DataDisk, state: Power = Power.RUNNING) -> Instance:
    one = replace(site.instance(), disks=disks, state=state)
    site.fetch()
    site.record(one)
    site.create(one)
    return one


def test_a_machine_is_made_with_its_disks(site: Site) -> None:
    data, logs = site.disk(), site.disk("logs", 16 * MIB)
    one = made(site, data, logs)
    assert there(site, one) == ({"data": 8 * MIB, "logs": 16 * MIB}, {data.id, logs.id}, ())
    state = site.ours
    assert dict(state.data) == {data.id: 8 * MIB, logs.id: 16 * MIB}
    assert state.disks == {one.uuid}
    site.create(one)
    assert site.ours == state


def test_disks_come_and_grow_while_it_runs_and_find_a_place(site: Site) -> None:
    one = site.running()
    assert site.machine(one).ports == 8
    data, logs = site.disk(), site.disk("logs")
    for disks in ((data,), (data, logs), (replace(data, size=24 * MIB), logs)):
        wanted = replace(one, disks=disks)
        site.record(wanted)
        for _ in range(2):
            site.update(wanted, live=True)
            assert there(site, one) == ({disk.name: disk.size for disk in disks}, {disk.id for disk in disks}, ())
        assert site.machine(one).ports == 8 - len(disks)
    assert site.machine(one).power is Power.RUNNING


def test_a_disk_that_is_there_is_kept_and_only_grows(site: Site) -> None:
    """What a killed run made, and what outlived its machine, for a machine of another uuid."""
    data = site.disk()
    one = made(site, data)
    site.delete(one.uuid)
    assert dict(site.state.data) == {data.id: 8 * MIB}
    tap, mac = tap_and_mac(site.instance(number=9).uuid, 0)
    anew = replace(site.instance(number=9), disks=(replace(data, size=16 * MIB),), state=Power.STOPPED)
    anew = replace(anew, nics=(replace(anew.nics[0], tap=tap, mac=mac),))
    site.record(anew)
    site.create(anew)
    assert there(site, anew) == ({"data": 16 * MIB}, {data.id}, ())
    site.update(replace(anew, disks=(data,)))
    assert dict(site.state.data) == {data.id: 16 * MIB}


def test_written_without_a_disk_it_is_still_there_until_it_is_deleted(site: Site) -> None:
    data, logs = site.disk(), site.disk("logs")
    one = made(site, data, logs, state=Power.STOPPED)
    less = replace(one, disks=(logs,))
    site.update(less)
    assert there(site, one) == ({"logs": 8 * MIB}, {logs.id}, ())
    assert site.state.data.keys() == {data.id, logs.id}
    for _ in range(2):
        site.delete_disk(one, data)
        site.delete_disk(one, logs)
        assert there(site, one) == ({}, set(), ())
        assert dict(site.state.data) == {}


def test_only_disks_that_are_named_go_with_their_machine(site: Site) -> None:
    data, logs = site.disk(), site.disk("logs")
    one = made(site, data, logs)
    for _ in range(2):
        site.delete(one.uuid, logs)
        assert dict(site.state.data) == {data.id: 8 * MIB}
        assert site.state.disks == frozenset()
