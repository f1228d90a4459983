"""Can this machine run guests on KVM? /dev/kvm alone proves nothing: virtual machines exist that offer it without the
processor's extension, and in which guests die in the boot loader ("KVM internal error").
"""

import os
from pathlib import Path


def judge(device: str, cpuinfo: str) -> tuple[bool, str]:
    """Usable or not, and why. `device` is what opening /dev/kvm failed with, empty when it opened."""
    if device:
        return False, f"/dev/kvm: {device}"
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


def probe() -> tuple[bool, str]:
    """Judge this machine."""
    device = ""
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        device = error.strerror or str(error)
    return judge(device, Path("/proc/cpuinfo").read_text(errors="replace"))
