"""Whether guests live in KVM here, and whether QEMU may ask it at all."""

from pathlib import Path

import pytest

from cloudsync.agent.kvm import SHUT, judge, opens

INTEL, PLAIN = "flags\t\t: fpu vmx sse\n", "flags\t\t: fpu sse\n"


def test_the_device_alone_proves_nothing() -> None:
    assert judge("", INTEL) == (True, "/dev/kvm opens and the processor has Intel VT-x")
    assert judge("", PLAIN)[0] is False
    assert judge("Permission denied", INTEL) == (False, "/dev/kvm: Permission denied")


def test_a_device_that_only_root_may_open_is_of_no_use() -> None:
    assert judge("", INTEL, shut=True) == (False, SHUT)


@pytest.mark.parametrize(
    ("mode", "owner", "member", "may"),
    [
        (0o600, False, False, False),
        (0o600, True, False, True),
        (0o660, False, False, False),
        (0o660, False, True, True),
        (0o640, False, True, False),
        (0o666, False, False, True),
        (0o606, False, True, False),
    ],
)
def test_who_may_open_it_is_told_by_owner_group_and_mode(
    tmp_path: Path, mode: int, owner: bool, member: bool, may: bool
) -> None:
    device = tmp_path / "kvm"
    device.touch()
    device.chmod(mode)
    there = device.stat()
    user = there.st_uid if owner else there.st_uid + 1
    assert opens(there, user, [there.st_gid if member else there.st_gid + 1]) is may
