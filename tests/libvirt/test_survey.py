"""What a host says about itself, and what is said when it does not."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.hosts.libvirt.connection import Connection
from cloudsync.hosts.libvirt.survey import survey
from cloudsync.hosts.libvirt.volume import Pool
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import Usage
from tests.libvirt.conftest import Lab
from tests.libvirt.samples import MiB

pytestmark = pytest.mark.real


def test_foreign_machines_count_stopped_or_not(lab: Lab, tmp_path: Path) -> None:
    big = tmp_path / "big.raw"
    with big.open("wb") as file:
        file.truncate(5 * MiB)
    lab.foreign("old-printer", big)
    lab.foreign("old-mail")
    lab.run(lab.instance())
    found = lab.survey()
    assert found.foreign_names == {"old-printer", "old-mail"}
    assert found.foreign == Usage(vcpus=4, memory=48 * MiB, disk=5 * MiB)
    assert [machine.name for machine in found.machines.values()] == ["web-1"]
    assert found.capacity.vcpus >= 1
    assert found.capacity.memory > 100 * MiB
    assert found.capacity.disk > 100 * MiB


class Travelled:
    """A way to a libvirt that is somewhere else: here."""

    def socket(self, there: str) -> Path:
        return Path(there)

    def trouble(self, there: str) -> HostError:
        return HostError(f"{there} does not answer")


def test_calls_that_travel_find_the_same(lab: Lab) -> None:
    for number in range(3):
        lab.run(lab.instance(f"web-{number}", number + 1))
    lab.define(lab.instance("db", 9))
    lab.foreign("old-mail")
    connection = Connection("there", "qemu+ssh://there/system", Travelled(), ("/run/libvirt/libvirt-sock",))
    assert connection.far
    found = survey(connection, Pool(connection), "lab")
    connection.close()
    assert len(found.machines) == 4
    assert replace(found, capacity=Usage()) == replace(lab.survey(), capacity=Usage())


def test_libvirtd_that_is_down_is_named_with_the_command_that_starts_it() -> None:
    connection = Connection("kvm-1", "qemu:///system?socket=/run/nobody-listens-here")
    with pytest.raises(HostError, match="host kvm-1: libvirtd is not running") as caught:
        _ = connection.raw
    assert "systemctl start libvirtd" in caught.value.hint
    assert "libvirtd -d" in caught.value.hint


def test_nobody_without_permission_gets_a_socket(lab: Lab) -> None:
    """As a user outside the group libvirt, in a process of its own."""
    code = (
        "import os\n"
        "from cloudsync.hosts.libvirt.connection import Connection\n"
        "from cloudsync.model.problem import HostError\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: Connection('kvm-1', 'qemu:///system').raw\n"
        "except HostError as error: print(error.message, '|', error.hint)\n"
    )
    socket = Path("/run/libvirt/libvirt-sock")
    mode = socket.stat().st_mode
    socket.chmod(0o700)
    try:
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    finally:
        socket.chmod(mode)
    assert "no permission to use libvirt" in answer
    assert "group libvirt" in answer
