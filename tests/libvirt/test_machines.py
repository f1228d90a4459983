"""Machines on a real libvirt: made, changed, started, stopped, deleted, each of it twice."""

import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cloudsync.hosts.libvirt.connection import lv
from cloudsync.hosts.libvirt.domain import Domains
from cloudsync.hosts.libvirt.domain_xml import CONSOLE_LOG, MARK, to_xml
from cloudsync.hosts.libvirt.volume import FOLDER
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Power
from cloudsync.spec.checks.addresses import MOST_CARDS
from tests.effort import PATIENCE
from tests.libvirt.conftest import Lab
from tests.libvirt.samples import MiB, named, virtual_size

pytestmark = pytest.mark.real


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def test_a_machine_is_there_with_all_it_needs(lab: Lab) -> None:
    web = lab.run(lab.instance())
    machine = named(lab.survey(), "web-1")
    assert machine.power is Power.RUNNING
    assert machine.autostart
    assert (machine.cloud, machine.generation, machine.image) == ("lab", 3, lab.image)
    assert (machine.vcpus, machine.memory, machine.disk) == (1, 32 * MiB, 8 * MiB)
    assert machine.nics == (("cs-000000000007", "52:54:00:00:00:07", "10.20.0.7"),)
    assert "10.20.0.1 peer 10.20.0.7/32" in ip("-4", "address", "show", "dev", "cs-000000000007")
    assert "dev cs-000000000007" in ip("route", "show", "10.20.0.7")
    assert Path(CONSOLE_LOG.format(uuid=web.uuid)).exists()
    live = lab.connection.raw.lookupByUUIDString(web.uuid)
    assert ET.fromstring(live.metadata(lv.VIR_DOMAIN_METADATA_ELEMENT, MARK)).get("name") == "web-1"
    disk = Path(FOLDER, f"{web.uuid}.root.qcow2")
    assert virtual_size(disk) == 8 * MiB
    assert disk.stat().st_uid != 0, "QEMU's user writes it"
    assert Path(FOLDER, f"image-{lab.image}").stat().st_uid == 0, "nobody but root may write what others start from"


def test_every_nic_is_a_tap_with_a_route(lab: Lab) -> None:
    """As many as the spec takes, all of them with one gateway."""
    one = lab.instance()
    nics = tuple(
        replace(one.nics[0], mac=f"52:54:00:00:01:{at:02x}", tap=f"cs-{at:012x}", address=f"10.20.1.{at}")
        for at in range(1, MOST_CARDS + 1)
    )
    lab.run(replace(one, nics=nics))
    assert named(lab.survey(), "web-1").nics == tuple((nic.tap, nic.mac, nic.address) for nic in nics)
    for nic in nics:
        assert f"10.20.0.1 peer {nic.address}/32" in ip("-4", "address", "show", "dev", nic.tap)
        assert f"dev {nic.tap}" in ip("route", "show", nic.address)


def test_a_tap_takes_no_bigger_packets_than_its_guest_is_told(lab: Lab) -> None:
    one = lab.instance()
    lab.run(replace(one, nics=(replace(one.nics[0], mtu=1450),)))
    assert "mtu 1450" in ip("link", "show", "dev", one.nics[0].tap)


def test_making_it_again_changes_nothing(lab: Lab) -> None:
    web = lab.run(lab.instance())
    disk = Path(FOLDER, f"{web.uuid}.root.qcow2")
    before = disk.stat().st_ino, lab.connection.raw.lookupByName("web-1").ID()
    lab.run(web)
    assert (disk.stat().st_ino, lab.connection.raw.lookupByName("web-1").ID()) == before


@pytest.mark.parametrize("done", ["disk", "domain"])
def test_what_a_killed_run_left_half_made_is_finished(lab: Lab, done: str) -> None:
    web = lab.instance()
    lab.pool.make_root(web.uuid, web.disk, web.image, "raw")
    if done == "domain":
        lab.define(web)
    lab.run(web)
    assert named(lab.survey(), "web-1").power is Power.RUNNING


def test_many_at_once(lab: Lab) -> None:
    """Threads share one connection and one pool."""
    wanted = [lab.instance(f"web-{number}", number) for number in range(1, 7)]
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            lab.define(wanted[number])
            lab.pool.delete_root(lab.instance("never", 99).uuid)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(wanted))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(one.name for one in lab.survey().machines.values()) == [instance.name for instance in wanted]


@pytest.mark.parametrize("owner", ["somebody else", "cloud other"])
def test_a_name_taken_by_a_domain_that_is_not_ours_is_refused(lab: Lab, owner: str) -> None:
    web = lab.instance()
    if owner == "cloud other":
        other = replace(lab.instance("web-1", 9), memory=24 * MiB)
        lab.pool.make_root(other.uuid, other.disk, other.image, "raw")
        text = to_xml(other, replace(lab.site(), cloud="other"))
        Domains(lab.connection, "other").define(text, other.uuid, other.name)
        uuid = other.uuid
    else:
        uuid = lab.foreign("web-1")
    before = lab.connection.raw.lookupByUUIDString(uuid).XMLDesc()
    with pytest.raises(HostError, match=f"the machine web-1 belongs to {owner}") as caught:
        lab.run(web)
    assert "virsh domrename web-1 NEW" in caught.value.hint
    assert lab.connection.raw.lookupByUUIDString(uuid).XMLDesc() == before
    assert lab.survey().machines == {}
    assert lab.survey().foreign_names == {"web-1"}


def test_a_machine_whose_mark_somebody_took_off_is_not_touched(lab: Lab) -> None:
    web = lab.run(lab.instance())
    domain = lab.connection.raw.lookupByUUIDString(web.uuid)
    flags = lv.VIR_DOMAIN_AFFECT_LIVE | lv.VIR_DOMAIN_AFFECT_CONFIG
    domain.setMetadata(lv.VIR_DOMAIN_METADATA_ELEMENT, None, "cloudsync", MARK, flags)
    with pytest.raises(HostError, match="belongs to somebody else"):
        lab.define(web)
    with pytest.raises(HostError, match="belongs to somebody else"):
        lab.domains.stop(web.uuid, web.name, 0)
    with pytest.raises(HostError, match="belongs to somebody else"):
        lab.domains.delete(web.uuid)
    assert domain.isActive()


def test_a_guest_that_does_not_listen_is_forced_off_after_the_grace(lab: Lab) -> None:
    web = lab.run(lab.instance())
    started = time.monotonic()
    lab.domains.stop(web.uuid, web.name, 0.3)
    assert time.monotonic() - started >= 0.3
    assert named(lab.survey(), "web-1").power is Power.STOPPED
    lab.domains.stop(web.uuid, web.name, 30)


def test_a_guest_that_goes_off_in_time_is_not_waited_for(lab: Lab) -> None:
    """The event ends the wait: the grace of 300 s is never used up. QEMU's own quit stands for a guest that listens."""
    web = lab.run(lab.instance())
    domain = lab.connection.raw.lookupByUUIDString(web.uuid)
    stop = threading.Thread(target=lab.domains.stop, args=(web.uuid, web.name, 300.0))
    stop.start()
    with lab.connection.stopping(web.uuid) as stopped:
        domain.destroyFlags(lv.VIR_DOMAIN_DESTROY_GRACEFUL)
        assert stopped.wait(PATIENCE)
    stop.join(PATIENCE)
    assert not stop.is_alive()


def test_start_makes_it_run_whatever_it_was(lab: Lab) -> None:
    web = lab.run(lab.instance())
    domain = lab.connection.raw.lookupByUUIDString(web.uuid)
    lab.domains.start(web.uuid, web.name)
    domain.suspend()
    assert named(lab.survey(), "web-1").power is Power.PAUSED
    number = domain.ID()
    lab.domains.start(web.uuid, web.name)
    assert named(lab.survey(), "web-1").power is Power.RUNNING
    assert domain.ID() == number, "it was resumed, not started anew"
    assert "10.20.0.1 peer 10.20.0.7/32" in ip("-4", "address", "show", "dev", "cs-000000000007")
    domain.destroy()
    lab.domains.start(web.uuid, web.name)
    assert named(lab.survey(), "web-1").power is Power.RUNNING


def test_a_start_that_another_was_quicker_with(lab: Lab) -> None:
    """libvirt goes on with what a killed program asked of it, while the next one asks for the same."""
    web = lab.define(lab.instance())
    lab.domains.start(web.uuid, web.name, lambda: lab.domains.start(web.uuid, web.name))
    assert named(lab.survey(), "web-1").power is Power.RUNNING


def test_a_paused_guest_cannot_listen_and_is_forced_at_once(lab: Lab) -> None:
    web = lab.run(lab.instance())
    lab.connection.raw.lookupByUUIDString(web.uuid).suspend()
    started = time.monotonic()
    lab.domains.stop(web.uuid, web.name, 300)
    assert time.monotonic() - started < 100
    assert named(lab.survey(), "web-1").power is Power.STOPPED


def test_start_of_a_machine_that_is_gone_says_so(lab: Lab) -> None:
    with pytest.raises(HostError, match="web-1 is gone from libvirt"):
        lab.domains.start(lab.instance().uuid, "web-1")


def test_an_update_keeps_the_disk_and_changes_the_rest(lab: Lab) -> None:
    web = lab.define(lab.instance())
    disk = Path(FOLDER, f"{web.uuid}.root.qcow2")
    inode = disk.stat().st_ino
    shop = replace(web, name="shop", vcpus=2, memory=64 * MiB, disk=16 * MiB)
    for _ in range(2):
        lab.pool.grow_root(shop.uuid, shop.disk)
        lab.domains.define(to_xml(shop, replace(lab.site(), generation=4)), shop.uuid, shop.name)
    lab.domains.start(shop.uuid, shop.name)
    (machine,) = lab.survey().machines.values()
    assert (machine.name, machine.vcpus, machine.memory, machine.disk) == ("shop", 2, 64 * MiB, 16 * MiB)
    assert machine.generation == 4
    assert disk.stat().st_ino == inode
    assert virtual_size(disk) == 16 * MiB
    assert (Path("/etc/libvirt/qemu/autostart/shop.xml")).is_symlink()
    assert not (Path("/etc/libvirt/qemu/autostart/web-1.xml")).is_symlink()


def test_renaming_to_a_taken_name_is_refused(lab: Lab) -> None:
    web = lab.define(lab.instance())
    lab.foreign("shop")
    with pytest.raises(HostError, match="the machine shop belongs to somebody else"):
        lab.domains.define(to_xml(replace(web, name="shop"), lab.site()), web.uuid, "shop")
    lab.define(lab.instance("web-2", 8))
    with pytest.raises(HostError, match="the name web-2 is taken by another machine of this cloud"):
        lab.domains.define(to_xml(replace(web, name="web-2"), lab.site()), web.uuid, "web-2")
    assert sorted(one.name for one in lab.survey().machines.values()) == ["web-1", "web-2"]


def test_deleting_takes_disk_and_domain_and_may_be_repeated(lab: Lab) -> None:
    web = lab.run(lab.instance())
    for _ in range(2):
        lab.domains.delete(web.uuid)
        lab.pool.delete_root(web.uuid)
    assert lab.survey().machines == {}
    assert not Path(FOLDER, f"{web.uuid}.root.qcow2").exists()
    assert Path(FOLDER, f"image-{lab.image}").exists()
    assert "cs-000000000007" not in ip("link")
