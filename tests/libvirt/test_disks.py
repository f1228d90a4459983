"""Disks on a real libvirt, also those that somebody else removed, put back or forged."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cloudsync.hosts.libvirt.volume import FOLDER
from cloudsync.model.problem import HostError
from tests.libvirt.conftest import Lab
from tests.libvirt.samples import MiB, virtual_size

pytestmark = pytest.mark.real


def test_a_disk_that_libvirt_lists_but_is_gone_is_made(lab: Lab) -> None:
    web = lab.instance()
    lab.pool.make_root(web.uuid, web.disk, web.image, "raw")
    disk = Path(FOLDER, f"{web.uuid}.root.qcow2")
    disk.unlink()
    lab.run(web)
    assert disk.exists()


def test_a_disk_that_libvirt_does_not_list_is_kept_and_deleted(lab: Lab) -> None:
    web = lab.instance()
    disk = Path(FOLDER, f"{web.uuid}.root.qcow2")
    disk.write_bytes(b"somebody put it back from a backup")
    lab.pool.make_root(web.uuid, web.disk, web.image, "raw")
    assert disk.read_bytes().startswith(b"somebody")
    other = lab.instance("web-2", 8)
    again = Path(FOLDER, f"{other.uuid}.root.qcow2")
    again.write_bytes(b"x")
    lab.pool.delete_root(other.uuid)
    assert not again.exists()


def test_a_disk_never_shrinks(lab: Lab) -> None:
    web = lab.define(lab.instance())
    lab.pool.grow_root(web.uuid, 1 * MiB)
    assert virtual_size(Path(FOLDER, f"{web.uuid}.root.qcow2")) == 8 * MiB


def test_a_missing_disk_cannot_grow(lab: Lab) -> None:
    with pytest.raises(HostError, match=r"the disk .*\.root\.qcow2 is missing"):
        lab.pool.grow_root(lab.instance().uuid, 16 * MiB)


def test_a_guest_that_fakes_a_backing_file_gains_nothing(lab: Lab) -> None:
    """A raw image whose first bytes are a qcow2 header that names a host file: opened as the raw bytes it is."""
    secret = Path(FOLDER, "secret")
    secret.write_bytes(b"root's own" * 100)
    header = (
        b"QFI\xfb" + (2).to_bytes(4, "big") + (72).to_bytes(8, "big") + (len(str(secret))).to_bytes(4, "big")
    ) + b"\0" * 52
    image = Path(FOLDER, f"image-{lab.image}")
    image.write_bytes((header + str(secret).encode()).ljust(1 << 20, b"\0"))
    web = lab.run(lab.instance())
    owner = secret.stat().st_uid
    status = lab.connection.raw.lookupByUUIDString(web.uuid).XMLDesc()
    assert "secret" not in status
    assert owner == 0, "libvirt would have given the file to QEMU's user"
    assert [element.get("type") for element in ET.fromstring(status).iter("format")] == ["raw"]
