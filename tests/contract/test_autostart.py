"""Whether a machine starts with its host, on every driver."""

from dataclasses import replace

from cloudsync.model.resources import Power
from cloudsync.model.step import StartInstance, StopInstance
from tests.contract.site import Site


def start(site: Site, uuid: str, for_good: bool = False) -> None:
    site.perform(StartInstance(id="start", host="here", address="instance.web", uuid=uuid, for_good=for_good))


def stop(site: Site, uuid: str, for_good: bool = False) -> None:
    site.perform(StopInstance(id="stop", host="here", address="instance.web", uuid=uuid, grace=0.1, for_good=for_good))


def test_it_starts_with_its_host_until_it_is_stopped_for_good(site: Site) -> None:
    one = site.running()
    for for_good, kept in ((False, True), (True, False)):
        stop(site, one.uuid, for_good)
        assert (site.machine(one).power, site.machine(one).autostart) == (Power.STOPPED, kept)
    for for_good, kept in ((False, False), (True, True)):
        start(site, one.uuid, for_good)
        assert (site.machine(one).power, site.machine(one).autostart) == (Power.RUNNING, kept)


def test_whether_it_starts_with_its_host_is_written_anew_and_it_stays_as_it_is(site: Site) -> None:
    one = site.running()
    run = site.driver.runs()[one.uuid]
    stop(site, one.uuid)
    off = replace(one, state=Power.STOPPED)
    site.record(off)
    for _ in range(2):
        site.update(off, live=True)
        assert (site.machine(one).power, site.machine(one).autostart) == (Power.STOPPED, False)
    start(site, one.uuid)
    site.record(one)
    later = site.driver.runs()[one.uuid]
    site.update(one, live=True)
    assert (site.machine(one).power, site.machine(one).autostart) == (Power.RUNNING, True)
    assert site.driver.runs()[one.uuid] == later > run
