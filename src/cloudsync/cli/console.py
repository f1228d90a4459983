"""`console NAME`: the serial console, by libvirt's own client on the spec's URI."""

import os
import shutil
from pathlib import Path

from cloudsync.cli.machine import found, need_running
from cloudsync.model.problem import CloudsyncError


def run(path: Path, name: str) -> int:
    """Hand over to virsh; its code. Two may not write at once: virsh refuses the second."""
    from cloudsync.spec.uri import Reach, reach

    with found(path, name) as it:
        need_running(path, it)
        uri, uuid = it.cloud.hosts[it.host.name].uri, it.instance.uuid
    if reach(uri) is Reach.SIMULATED:
        raise CloudsyncError(f"host {it.host.name} is simulated: its machines have no console")
    program = shutil.which("virsh")
    if program is None:
        raise CloudsyncError("virsh is not there", "install libvirt's client: apt-get install libvirt-clients")
    code = os.spawnv(os.P_WAIT, program, ["virsh", "--connect", uri, "console", "--safe", uuid])  # noqa: S606
    return code if code >= 0 else 128 - code
