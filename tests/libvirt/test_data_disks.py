"""Data disks on a real libvirt: a guest that does not let go, and what somebody else did to them meanwhile."""

from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.hosts.libvirt.connection import lv
from cloudsync.hosts.libvirt.data_disk import DataDisks
from cloudsync.hosts.libvirt.disk_xml import data_disk, device_of
from cloudsync.hosts.libvirt.domain_xml import mark_text, to_xml
from cloudsync.hosts.libvirt.volume import FOLDER
from cloudsync.model.problem import HostError
from cloudsync.model.resources import DataDisk, Instance
from cloudsync.model.snapshot import Machine
from tests.libvirt.conftest import Lab
from tests.libvirt.samples import MiB

pytestmark = pytest.mark.real
DATA = DataDisk(name="data", size=8 * MiB, id="0b0c1f6e-52d4-4a3f-9c1e-0d5b8a2f0001")
FILE = Path(FOLDER, data_disk(DATA.id))


def running(lab: Lab, data: DataDisks) -> Instance:
    """With a data disk that came while it ran."""
    one = replace(lab.run(lab.instance()), disks=(DATA,))
    join(lab, data, one)
    return one


def join(lab: Lab, data: DataDisks, one: Instance) -> None:
    data.ready(one)
    lab.domains.define(to_xml(one, lab.site()), one.uuid, one.name)
    data.join(one, mark_text(one, lab.site()))


def seen(lab: Lab, one: Instance) -> Machine:
    return lab.survey().machines[one.uuid]


def test_a_guest_that_does_not_let_go_keeps_its_disk_until_it_is_off(lab: Lab) -> None:
    data = DataDisks(lab.connection, lab.pool, lab.domains, lambda: 0.5)
    one = running(lab, data)
    for _ in range(2):
        with pytest.raises(HostError, match="does not let go of its disk data") as caught:
            data.part(one.uuid, "instance.web-1", DATA)
        assert "stop the instance" in caught.value.hint
        assert FILE.exists()
        assert seen(lab, one).attached == {DATA.id}
    lab.connection.raw.lookupByUUIDString(one.uuid).destroy()
    for _ in range(2):
        data.part(one.uuid, "instance.web-1", DATA)
        assert not FILE.exists()
        assert (seen(lab, one).disks, seen(lab, one).attached) == ((), frozenset())
    lab.domains.start(one.uuid, one.name)


@pytest.mark.parametrize("where", [lv.VIR_DOMAIN_AFFECT_CONFIG, lv.VIR_DOMAIN_AFFECT_LIVE])
def test_what_somebody_attached_is_strange_and_what_is_half_attached_is_not_there(lab: Lab, where: int) -> None:
    data = DataDisks(lab.connection, lab.pool, lab.domains, lambda: 0.5)
    one = running(lab, data)
    other = lab.run(lab.instance("web-2", 8))
    domain = lab.connection.raw.lookupByUUIDString(one.uuid)
    device = device_of(domain.XMLDesc(), DATA.id)
    stray = Path(FOLDER, data_disk(DATA.id.replace("1", "2")))
    lab.pool.make_data(DATA.id.replace("1", "2"), MiB)
    theirs = lab.connection.raw.lookupByUUIDString(other.uuid)
    text = f"<disk type='file'><driver name='qemu' type='qcow2'/><source file='{stray}'/><target dev='vdb'/></disk>"
    theirs.attachDeviceFlags(text, lv.VIR_DOMAIN_AFFECT_LIVE)
    assert seen(lab, other).strange == (f"vdb {stray}",)
    assert seen(lab, other).disks == ()
    if where == lv.VIR_DOMAIN_AFFECT_CONFIG:
        domain.detachDeviceFlags(device, where)
        assert seen(lab, one).attached == frozenset()
        join(lab, data, one)
    assert seen(lab, one).attached == {DATA.id}
    assert seen(lab, one).strange == ()


def test_a_volume_that_is_there_is_kept_and_grown_whoever_had_it(lab: Lab) -> None:
    data = DataDisks(lab.connection, lab.pool, lab.domains)
    assert lab.pool.make_data(DATA.id, DATA.size)
    before = FILE.stat().st_ino
    one = replace(lab.instance(), disks=(replace(DATA, size=16 * MiB),))
    data.ready(one)
    assert (FILE.stat().st_ino, lab.pool.size(data_disk(DATA.id))) == (before, 16 * MiB)
