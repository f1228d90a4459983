"""The disk pool is gone, from libvirt's list or with its file system: nothing is made over what is lost."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.baddays.test_bad_days import images, machines, run
from tests.lab.cloud import blank_cloud, running_agent

pytestmark = pytest.mark.real
POOL = Path("/var/lib/cloudsync/pool")


@pytest.fixture
def spec(tmp_path: Path) -> Iterator[Path]:
    path = blank_cloud(tmp_path, count=1)
    with running_agent():
        assert run(path, "apply", "-y").returncode == 0
        yield path
        assert run(path, "destroy", "-y", "--allow-destroy").returncode == 0


def virsh(*words: str) -> None:
    subprocess.run(["virsh", "-q", *words], check=True, capture_output=True)


def test_libvirt_has_forgotten_it(spec: Path) -> None:
    virsh("pool-destroy", "cloudsync")
    virsh("pool-undefine", "cloudsync")
    blank_cloud(spec.parent, count=2)
    done = run(spec, "apply", "-y")
    assert done.returncode == 0, done.stderr
    assert machines().split() == ["box-1", "box-2"]
    assert run(spec, "plan", "--detailed-exitcode").returncode == 0


def test_its_file_system_is_not_mounted(spec: Path) -> None:
    """An empty one lies where it was."""
    before = images()
    virsh("destroy", "box-1")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=110m", "tmpfs", POOL], check=True)
    try:
        shown = run(spec, "plan").stdout
        assert "its disk is gone" in shown
        assert "left alone" in shown
        done = run(spec, "apply", "-y", "--allow-destroy")
        assert done.returncode == 0, done.stdout + done.stderr
        assert not [name for name in images() if name.endswith(".root.qcow2")]
    finally:
        subprocess.run(["umount", POOL], check=True)
    assert images() == before
    done = run(spec, "apply", "-y")
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(spec, "plan", "--detailed-exitcode").returncode == 0
