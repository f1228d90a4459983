"""A running machine moves between two hosts of the lab by plain virsh, driven from here, as the product does it."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.lab.cloud import blank_image
from tests.lab.lab import Hosts, lab

pytestmark = pytest.mark.real
FOLDER = "/var/lib/libvirt/images"
DISK = f"{FOLDER}/box.qcow2"
MIB = 1 << 20
MACHINE = f"""\
<domain type='qemu'>
  <name>box</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='{DISK}'/><target dev='vda' bus='virtio'/>
    </disk>
    <memballoon model='none'/>
  </devices>
</domain>
"""


@pytest.fixture(scope="module")
def it() -> Iterator[Hosts]:
    with lab(hosts=2) as hosts:
        base = blank_image(hosts.folder / "base.raw")
        for name in hosts.names:
            hosts.run(name, "cp", str(base), f"{FOLDER}/base.raw")
            hosts.run(
                name, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", f"{FOLDER}/base.raw", DISK, "8M"
            )
            hosts.run(name, "bash", "-c", f"chown libvirt-qemu:libvirt-qemu {FOLDER}/*")
            hosts.run(name, "virsh", "pool-create-as", "images", "dir", "--target", FOLDER)
        yield hosts


def virsh(it: Hosts, name: str, *words: str) -> str:
    done = subprocess.run(["virsh", "-q", "-c", it.uri(name), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_moves_with_what_was_written_and_keeps_its_base(it: Hosts) -> None:
    machine = it.folder / "box.xml"
    machine.write_text(MACHINE)
    it.run("h1", "qemu-io", "-f", "qcow2", "-c", "write -P 0x5a 4M 64k", DISK)
    virsh(it, "h1", "define", str(machine))
    virsh(it, "h1", "start", "box")
    target = f"tcp://{it.seats['h2'].address}"
    options = ["--live", "--persistent", "--undefinesource", "--copy-storage-inc"]
    virsh(it, "h1", "migrate", *options, "box", it.uri("h2"), "--migrateuri", target)
    assert virsh(it, "h1", "list", "--all", "--name") == ""
    assert virsh(it, "h2", "domstate", "box") == "running"
    virsh(it, "h2", "destroy", "box")
    assert "backing file: /var/lib/libvirt/images/base.raw" in it.run("h2", "qemu-img", "info", DISK).stdout
    read = it.run("h2", "qemu-io", "-f", "qcow2", "-c", "read -P 0x5a 4M 64k", DISK).stdout
    assert "read 65536/65536" in read
    assert "Pattern verification failed" not in read
    assert int(it.run("h2", "stat", "-c", "%s", DISK).stdout) < MIB
