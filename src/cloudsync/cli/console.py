"""`console NAME`: the serial console, by libvirt's own client on the connection to the host that there is."""

import os
import shutil
from pathlib import Path

from cloudsync.cli.machine import found, need_running
from cloudsync.model.problem import CloudsyncError


def run(path: Path, name: str) -> int:
    """Hand over to virsh; its code. Two may not write at once: virsh refuses the second."""
    with found(path, name) as it:
        need_running(path, it)
        uri = it.driver.virsh()
        if not uri:
            raise CloudsyncError(f"host {it.host.name} is simulated: its machines have no console")
        program = shutil.which("virsh")
        if program is None:
            raise CloudsyncError("virsh is not there", "install libvirt's client: apt-get install libvirt-clients")
        words = ["virsh", "--connect", uri, "console", "--safe", it.instance.uuid]
        code = os.spawnv(os.P_WAIT, program, words)  # noqa: S606
    return code if code >= 0 else 128 - code
