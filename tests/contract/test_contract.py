"""What every driver promises. The day two of them disagree, the simulated one is wrong."""

from dataclasses import replace
from hashlib import sha256

import pytest

from cloudsync.model.checkup import Verdict
from cloudsync.model.problem import HostError, LockedError, StaleError
from cloudsync.model.resources import Digest, Power
from cloudsync.model.snapshot import HostStatus, Traces, Usage
from cloudsync.model.step import StartInstance, StopInstance
from cloudsync.planner.identity import tap_and_mac
from tests.contract.site import MIB, Site


def start(site: Site, uuid: str) -> None:
    site.perform(StartInstance(id="start", host="here", address="instance.web", uuid=uuid))


def stop(site: Site, uuid: str) -> None:
    site.perform(StopInstance(id="stop", host="here", address="instance.web", uuid=uuid, grace=0.1))


def test_an_empty_host_is_ready_and_says_what_it_has(site: Site) -> None:
    state = site.state
    assert state.status is HostStatus.READY
    assert state.name == "here"
    assert min(state.capacity.vcpus, state.capacity.memory, state.capacity.disk) > 0
    assert state.document is None or state.document.released
    assert (dict(state.machines), state.disks) == ({}, frozenset())


def test_what_is_made_is_observed_as_it_was_asked_for(site: Site) -> None:
    one = site.running()
    machine = site.machine(one)
    assert (machine.uuid, machine.name, machine.cloud, machine.image) == (one.uuid, "web", "contract", one.image)
    assert (machine.vcpus, machine.memory, machine.disk) == (one.vcpus, one.memory, one.disk)
    assert machine.nics == tuple((nic.tap, nic.mac, nic.address) for nic in one.nics)
    state = site.state
    assert (machine.power, machine.autostart, machine.generation) == (Power.RUNNING, True, state.generation)
    assert state.disks == {one.uuid}
    assert one.image in state.images
    assert state.document
    assert state.document.instances == {"web": one}
    assert dict(state.document.user_data) == {}


def test_a_run_has_a_number_until_it_ends(site: Site) -> None:
    one = site.running()
    first = site.driver.runs()[one.uuid]
    assert site.state.runs == {one.uuid: first}
    stop(site, one.uuid)
    assert one.uuid not in site.driver.runs()
    start(site, one.uuid)
    assert site.driver.runs()[one.uuid] > first


def test_nics_come_go_and_change_places(site: Site) -> None:
    """Off meanwhile: a blank guest does not hear the power button."""
    one = replace(site.instance(), state=Power.STOPPED)
    site.fetch()
    site.record(one)
    site.create(one)
    more = tuple(
        replace(one.nics[0], address=f"10.99.0.{70 + at}", mac=mac, tap=tap)
        for at, (tap, mac) in ((at, tap_and_mac(one.uuid, at)) for at in (1, 2))
    )
    for nics in ((*one.nics, *more), (more[1], *one.nics), more):
        changed = replace(one, nics=nics)
        site.record(changed)
        site.update(changed)
        assert site.machine(one).nics == tuple((nic.tap, nic.mac, nic.address) for nic in nics)
    start(site, one.uuid)
    assert site.machine(one).nics == tuple((nic.tap, nic.mac, nic.address) for nic in more)


def test_creating_twice_changes_nothing(site: Site) -> None:
    one = site.running()
    before = site.machine(one)
    site.create(one)
    assert site.machine(one) == before


def test_one_that_is_to_be_stopped_is_not_started(site: Site) -> None:
    one = replace(site.instance(), state=Power.STOPPED)
    site.fetch()
    site.record(one)
    site.create(one)
    assert (site.machine(one).power, site.machine(one).autostart) == (Power.STOPPED, False)


def test_a_disk_that_is_there_is_kept(site: Site) -> None:
    """What a killed run left: the second create finishes it, and a larger disk is not made smaller."""
    one = site.running()
    larger = replace(one, disk=16 * MIB)
    site.record(larger)
    site.update(larger)
    site.create(larger)
    assert site.machine(one).disk == 16 * MIB


def test_nothing_is_made_without_its_image(site: Site) -> None:
    one = site.instance()
    site.record(one)
    with pytest.raises(HostError):
        site.create(one)
    assert dict(site.state.machines) == {}


def test_deleting_twice_is_deleting_once(site: Site) -> None:
    one = site.running()
    site.delete(one.uuid)
    site.delete(one.uuid)
    assert (dict(site.state.machines), site.state.disks) == ({}, frozenset())


def test_start_and_stop_can_be_repeated(site: Site) -> None:
    one = site.running()
    for _ in range(2):
        stop(site, one.uuid)
        assert site.machine(one).power is Power.STOPPED
    for _ in range(2):
        start(site, one.uuid)
        assert site.machine(one).power is Power.RUNNING


def test_what_is_gone_cannot_be_started_stopped_or_updated(site: Site) -> None:
    one = site.running()
    site.delete(one.uuid)
    with pytest.raises(HostError, match="gone"):
        start(site, one.uuid)
    with pytest.raises(HostError, match="gone"):
        stop(site, one.uuid)
    with pytest.raises(HostError, match="gone"):
        site.update(one)


def test_update_writes_name_sizes_and_addresses_anew_and_power_as_wanted(site: Site) -> None:
    one = site.running()
    nic = replace(one.nics[0], address="10.99.0.77")
    wanted = replace(one, name="front", vcpus=2, memory=48 * MIB, disk=16 * MIB, nics=(nic,))
    site.record(wanted)
    site.update(wanted)
    machine = site.machine(one)
    assert (machine.name, machine.vcpus, machine.memory, machine.disk) == ("front", 2, 48 * MIB, 16 * MIB)
    assert machine.nics[0][2] == "10.99.0.77"
    assert (machine.power, machine.generation) == (Power.RUNNING, site.state.generation)
    off = replace(wanted, state=Power.STOPPED)
    site.update(off)
    assert (site.machine(one).power, site.machine(one).autostart) == (Power.STOPPED, False)


def test_what_we_write_has_no_traces_of_others(site: Site) -> None:
    """Written while it runs, in two states of power, and written anew by a restart."""
    one = site.running()
    assert site.machine(one).traces == Traces()
    site.record(one)
    site.update(one, live=True)
    machine = site.machine(one)
    assert (machine.power, machine.traces) == (Power.RUNNING, Traces())
    grown = replace(one, memory=48 * MIB)
    site.record(grown)
    site.update(grown)
    assert site.machine(one).traces == Traces()
    stop(site, one.uuid)
    assert replace(site.machine(one).traces, why="") == Traces()
    start(site, one.uuid)
    assert site.machine(one).traces == Traces()


def test_user_data_that_nobody_has_any_more_stays_where_it_is(site: Site) -> None:
    data = b"#cloud-config\n"
    digest = Digest(sha256=sha256(data).hexdigest(), size=len(data))
    one = replace(site.instance(), user_data=digest)
    with pytest.raises(HostError):
        site.record(one)
    site.record(one, blobs={digest.sha256: data})
    site.record(replace(one, metadata={"role": "web"}))
    document = site.state.document
    assert document
    assert (document.instances["web"].user_data, document.instances["web"].metadata) == (digest, {"role": "web"})


def test_a_name_that_is_taken_is_not_taken_again(site: Site) -> None:
    one = site.running()
    other = replace(site.instance("web", number=9))
    site.record(other)
    with pytest.raises(HostError):
        site.create(other)
    assert site.machine(one).power is Power.RUNNING


def test_one_that_was_started_is_waited_for_until_its_guest_is_there(site: Site) -> None:
    one = site.running()
    with pytest.raises(HostError, match=r"instance\.web did not come back in 1 s"):
        site.wait_back(one)
    with site.guest(one):
        site.wait_back(one)


def test_nobody_waits_for_one_that_is_off_or_gone(site: Site) -> None:
    one = site.running()
    stop(site, one.uuid)
    with pytest.raises(HostError, match="does not run"):
        site.wait_back(one, timeout=600)
    site.delete(one.uuid)
    with pytest.raises(HostError, match="does not run"):
        site.wait_back(one, timeout=600)


def test_waiting_ends_when_it_is_interrupted(site: Site) -> None:
    one = site.running()
    with pytest.raises(HostError):
        site.wait_back(one, timeout=600, stop=True)


def test_an_image_in_use_stays(site: Site) -> None:
    one = site.running()
    with pytest.raises(HostError):
        site.forget()
    site.delete(one.uuid)
    site.forget()
    site.forget()
    assert dict(site.state.images) == {}


def test_an_image_can_be_put_twice(site: Site) -> None:
    site.fetch()
    site.fetch()
    assert set(site.state.images) == {site.image.sha256}


def test_a_document_replaces_the_one_it_was_made_from_and_no_other(site: Site) -> None:
    one, before = site.instance(), site.state.generation
    site.record(one)
    site.record()
    assert site.state.generation == before + 2
    for base in (before, before + 1, before + 7):
        with pytest.raises(StaleError):
            site.record(one, base=base)
    assert site.state.generation == before + 2


def test_another_clouds_document_is_refused_until_the_host_is_released(site: Site) -> None:
    site.record(site.instance())
    with pytest.raises(HostError):
        site.record(site.instance(), cloud="other")
    site.record()
    site.record(cloud="other")
    site.record(cloud="contract")


def test_a_host_that_another_cloud_has_is_foreign_and_its_rest_unknown(site: Site) -> None:
    before = site.state.generation
    site.record(site.instance(), cloud="other")
    try:
        state = site.state
    finally:
        site.record(cloud="other", base=before + 1)
    assert state.status is HostStatus.FOREIGN
    assert "other" in state.reason
    assert (state.document, dict(state.machines), state.capacity) == (None, {}, Usage())
    assert site.state.status is HostStatus.READY


def test_the_lock_is_held_by_one_at_a_time_and_says_by_whom(site: Site) -> None:
    with site.driver.lock("alice@laptop"), pytest.raises(LockedError) as caught, site.driver.lock("bob@desk"):
        pass
    assert "alice@laptop" in caught.value.message
    with site.driver.lock("bob@desk"):
        pass


def test_observing_changes_nothing(site: Site) -> None:
    site.running()
    first, second = site.ours, site.ours
    assert first == second


def test_a_checkup_says_that_this_host_does(site: Site) -> None:
    site.record()
    found = site.driver.checkup()
    assert [check for check in found if check.verdict is Verdict.PROBLEM] == []
    assert [check for check in found if check.verdict is Verdict.OK]


def test_denied_packets_are_told_of_instances_whose_groups_log(site: Site) -> None:
    one = site.instance()
    site.record(one)
    with pytest.raises(HostError):
        site.driver.denied(one.uuid)
    site.record(one, log_denied=True)
    assert site.driver.denied(one.uuid) == ()
    site.record()
    with pytest.raises(HostError):
        site.driver.denied(one.uuid)
