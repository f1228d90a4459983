"""Data disks on a real libvirt: a guest that does not let go, and what somebody else did to them meanwhile."""

from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.hosts.libvirt.connection import lv
from cloudsync.hosts.libvirt.data_disk import DataDisks
from cloudsync.hosts.libvirt.disk_xml import data_disk, device_of
from cloudsync.hosts.libvirt.domain_xml import to_xml
from cloudsync.hosts.libvirt.volume import FOLDER
from cloudsync.model.problem import HostError
from cloudsync.model.resources import DataDisk, Instance
from cloudsync.model.snapshot import Machine
from tests.libvirt.conftest import Lab
from tests.libvirt.samples import MiB

pytestmark = pytest.mark.real
_POLITE = bytes.fromhex(
    # again: hlt; xor ebx, ebx. next: mov eax, ebx; mov dx, 0xcd0; out dx, eax; mov dx, 0xcc4; in eax, dx;
    # test eax, eax; jz on; mov dx, 0xcc8; out dx, eax. on: inc bx; cmp bx, 32; jb next; jmp again
    "f4 6631db 6689d8 bad00c 66ef bac40c 66ed 6685c0 7405 bac80c 66ef 43 83fb20 72e3 ebdd"
)
"""A boot sector that lets go of what it is asked for: it ejects whatever the hotplug registers of a q35 ask for, bus by
bus, eighteen times a second."""
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
    lab.domains.grow(one, lab.site())
    data.join(one)


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


def test_a_guest_that_lets_go_runs_on_without_it(lab: Lab) -> None:
    sector = (b"\xfb" + _POLITE).ljust(510, b"\0") + b"\x55\xaa"
    Path(FOLDER, f"image-{lab.image}").write_bytes(sector.ljust(MiB, b"\0"))
    data = DataDisks(lab.connection, lab.pool, lab.domains, lambda: 60.0)
    one = running(lab, data)
    run = lab.connection.raw.lookupByUUIDString(one.uuid).ID()
    data.part(one.uuid, "instance.web-1", DATA)
    assert not FILE.exists()
    found = seen(lab, one)
    assert (found.disks, found.attached, found.strange, found.ports) == ((), frozenset(), (), 8)
    assert lab.connection.raw.lookupByUUIDString(one.uuid).ID() == run
    join(lab, data, one)
    assert seen(lab, one).attached == {DATA.id}


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
