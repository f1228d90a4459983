"""The small readers: KVM, uplink, console, pool."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudsync.agent import console, kvm, uplink
from cloudsync.agent.pool import Pool
from cloudsync.model.agent_state import RootDisk
from cloudsync.model.problem import CloudsyncError, HostError
from tests.agent.documents import UUID
from tests.agent.images import qemu_img
from tests.agent.lab import Lab

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
down0\t00000000\t0101A8C0\t0002\t0\t0\t1\t00000000\t0\t0\t0
cs-0123456789ab\t0700140A\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0
eth0\t00000000\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0
"""


@pytest.mark.parametrize(
    ("device", "cpuinfo", "usable", "word"),
    [
        ("", "flags\t\t: fpu vmx sse\n", True, "VT-x"),
        ("", "flags\t\t: fpu svm sse\n", True, "AMD-V"),
        ("", "flags\t\t: fpu sse vmxnet\n", False, "neither vmx nor svm"),
        ("Permission denied", "flags\t\t: fpu vmx\n", False, "Permission denied"),
        ("No such file or directory", "", False, "No such file"),
        ("", "Features\t: fp asimd\n", True, "opens"),
    ],
)
def test_kvm_needs_the_processor_and_the_device(device: str, cpuinfo: str, usable: bool, word: str) -> None:
    found, reason = kvm.judge(device, cpuinfo)
    assert found is usable
    assert word in reason


def test_kvm_probe_of_this_machine_agrees_with_its_parts() -> None:
    usable, reason = kvm.probe()
    assert reason
    assert not usable or Path("/dev/kvm").exists()


def test_uplink_is_the_default_route_that_is_up_with_the_lowest_metric() -> None:
    assert uplink.default_interface(ROUTES) == "eth0"


def test_no_default_route_no_uplink() -> None:
    assert uplink.default_interface(ROUTES.splitlines()[0]) is None
    assert uplink.default_interface("") is None


def test_console_joins_rotated_logs_oldest_first(tmp_path: Path) -> None:
    name = f"cloudsync-{UUID}.log"
    for suffix, text in (("", "d"), (".0", "c"), (".1", "b"), (".10", "a"), (".bak", "x"), (".0.gz", "x")):
        (tmp_path / (name + suffix)).write_text(text)
    assert console.read(tmp_path, UUID) == b"abcd"


@pytest.mark.parametrize("uuid", ["../../etc/passwd", UUID.upper() + "A", UUID + "\n", "", f"{UUID}/../x", "*" * 36])
def test_console_takes_nothing_but_a_uuid(tmp_path: Path, uuid: str) -> None:
    with pytest.raises(ValueError, match="not a UUID"):
        console.read(tmp_path, uuid)


def test_console_forgets_all_of_a_machine_and_nothing_of_others(tmp_path: Path) -> None:
    name, other = f"cloudsync-{UUID}.log", f"cloudsync-{UUID[:-1]}f.log"
    for file in (name, f"{name}.0", f"{name}.12", other, f"{name}.bak"):
        (tmp_path / file).write_text("x")
    console.forget(tmp_path, {UUID})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([other, f"{name}.bak"])


def test_console_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / f"cloudsync-{UUID}.log").symlink_to(tmp_path / "secret")
    with pytest.raises(CloudsyncError, match="no console log"):
        console.read(tmp_path, UUID)


def test_pool_lists_whole_images_and_disks_only(tmp_path: Path) -> None:
    digest = "ab" * 32
    halves = (f"unchecked/{'cd' * 32}.part", f"unchecked/{'cd' * 32}.part.validator", f"incoming-{'ef' * 32}")
    (tmp_path / "unchecked").mkdir()
    for name in (f"image-{digest}", *halves, f"{UUID}.root.qcow2", "note", f"{'12' * 32}.gz"):
        (tmp_path / name).write_bytes(b"12345")
    (tmp_path / f"image-{'01' * 32}").symlink_to("/etc/passwd")
    pool = Pool(tmp_path)
    images = pool.images()
    assert [(name, image.size, image.format) for name, image in images.items()] == [(digest, 5, "raw")]
    assert pool.disks() == {UUID: RootDisk()}
    assert pool.partial() == ("cd" * 32, "ef" * 32)


class Racing(Pool):
    """Each file is deleted by somebody between the listing and the look at it."""

    def _files(self, *where: Any) -> Iterator[Path]:
        for path in super()._files(*where):
            path.unlink()
            yield path


def test_pool_passes_over_an_image_that_goes_while_it_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / f"image-{'ab' * 32}").write_bytes(b"12345")
    assert Racing(tmp_path).images() == {}


def test_a_pool_that_is_not_there_is_named(agent: Lab) -> None:
    agent.pool.rmdir()
    with pytest.raises(HostError, match=f"kvm-1: the pool {agent.pool} cannot be used: No such file") as caught:
        agent.client.host()
    assert str(agent.pool) in caught.value.hint
    agent.pool.mkdir()
    assert agent.client.host().pool_size > 0


def test_pool_knows_what_stands_on_an_image(tmp_path: Path) -> None:
    digest, pool = "ab" * 32, Pool(tmp_path)
    qemu_img("create", "-f", "qcow2", pool.image(digest), "8M")
    disk = tmp_path / f"{UUID}.root.qcow2"
    qemu_img("create", "-f", "qcow2", "-b", pool.image(digest), "-F", "qcow2", disk, "16M")
    assert pool.users(digest) == [disk.name]
    assert pool.users("cd" * 32) == []
    assert pool.disks() == {UUID: RootDisk(size=16 << 20, image=digest)}
    assert pool.images()[digest].virtual_size == 8 << 20
    assert pool.images()[digest].format == "qcow2"


def test_pool_does_not_guess_about_a_damaged_disk(tmp_path: Path) -> None:
    (tmp_path / f"{UUID}.root.qcow2").write_bytes(b"not a disk at all")
    with pytest.raises(HostError, match="cannot tell what"):
        Pool(tmp_path).users("ab" * 32)
