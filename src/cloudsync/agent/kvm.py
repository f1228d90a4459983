"""Can this machine run guests on KVM? /dev/kvm alone proves nothing: virtual machines exist that offer it without the
processor's extension, and in which guests die in the boot loader ("KVM internal error").
"""

import os
import pwd
import stat
from pathlib import Path

_DEVICE = Path("/dev/kvm")
_USERS = ("libvirt-qemu", "qemu")
"""Whom libvirt runs QEMU as: Debian's, others'."""
OPEN = ("chgrp kvm /dev/kvm", "chmod 660 /dev/kvm")


def judge(device: str, cpuinfo: str, shut: bool = False) -> tuple[bool, str]:
    """Usable or not, and why. `device` is what opening /dev/kvm failed with, empty when it opened. It may be `shut` for
    QEMU all the same."""
    if device:
        return False, f"/dev/kvm: {device}"
    if shut:
        return False, SHUT
    flags = _flags(cpuinfo)
    if not flags:
        return True, "/dev/kvm opens"
    for flag, name in (("vmx", "Intel VT-x"), ("svm", "AMD-V")):
        if flag in flags:
            return True, f"/dev/kvm opens and the processor has {name}"
    return False, "/dev/kvm opens, but the processor shows neither vmx nor svm: guests would die in it"


def _flags(cpuinfo: str) -> frozenset[str]:
    """Only x86 has a `flags` line."""
    for line in cpuinfo.splitlines():
        name, _, values = line.partition(":")
        if name.strip() == "flags":
            return frozenset(values.split())
    return frozenset()


SHUT = "/dev/kvm opens for root and not for QEMU's user, so libvirt asks QEMU anew at every call, for seconds"


def shut() -> bool:
    """Whether the device is there and none of QEMU's users may open it."""
    try:
        there = _DEVICE.stat()
    except OSError:
        return False
    users = [found for name in _USERS if (found := _groups(name)) is not None]
    return bool(users) and not any(opens(there, user, groups) for user, groups in users)


def _groups(name: str) -> tuple[int, list[int]] | None:
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return None
    return user.pw_uid, os.getgrouplist(name, user.pw_gid)


def opens(there: os.stat_result, user: int, groups: list[int]) -> bool:
    """Whether that user may read and write it."""
    bits = there.st_mode >> (6 if there.st_uid == user else 3 if there.st_gid in groups else 0)
    return bits & (stat.S_IROTH | stat.S_IWOTH) == stat.S_IROTH | stat.S_IWOTH


def probe() -> tuple[bool, str]:
    """Judge this machine."""
    device = ""
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        device = error.strerror or str(error)
    return judge(device, Path("/proc/cpuinfo").read_text(errors="replace"), shut())
