"""A private machine for tests and for a person: `python tests/lab/private.py [--uplink] CMD…` runs CMD as root in it.

New mount, network, pid and uts namespaces with a pid 1 that reaps at once, libvirt's and cloudsync's folders replaced
by private ones, an own virtlogd and libvirtd. /tmp is the machine's own. Exits with CMD's code and leaves nothing.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

# Started by its path, it would look for its neighbours beside itself.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from tests.lab.disk import disk, kept  # noqa: E402
from tests.lab.machine import (  # noqa: E402
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
    STATE,
    WATCHED,
    complain,
    libc,
    mount_folders,
    run,
    spawn,
    start_libvirt,
    unshare,
    wait,
)

PR_SET_PDEATHSIG = 1
NEEDED = {"libvirtd": "libvirt-daemon-system", "virtlogd": "libvirt-daemon-system", "ip": "iproute2", "mount": "mount"}


def main(arguments: list[str]) -> int:
    uplink = arguments[:1] == ["--uplink"]
    command = arguments[uplink:]
    if not command:
        return complain("usage: private.py [--uplink] CMD [ARGUMENT…]", 2)
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
    missing = sorted({package for tool, package in NEEDED.items() if not shutil.which(tool)})
    if missing:
        return complain(f"a private machine needs these Debian packages: apt-get install {' '.join(missing)}", 2)
    if os.geteuid() != 0:
        return complain("a private machine needs root: sudo " + " ".join([sys.executable, *sys.argv]), 2)
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    with kept(STATE), disk("cloudsync-private") as folder:
        unshare(CLONE_NEWPID)
        child = os.fork()
        if child == 0:
            _be_the_machine(folder, uplink, command)
        return wait(child, child)


# Inside: pid 1 of the machine.


def _be_the_machine(disk: Path, uplink: bool, command: list[str]) -> NoReturn:
    """When pid 1 is gone the kernel kills the rest and drops the mounts and devices: nothing needs undoing."""
    code = 1
    try:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS)
        _mount_folders(disk)
        _bring_up_network(uplink)
        start_libvirt()
        child = spawn(command)
        code = wait(child, child)
    except (OSError, subprocess.CalledProcessError, RuntimeError) as error:
        code = complain(f"private.py: {error}", 125)
    finally:
        os._exit(code)


def _mount_folders(disk: Path) -> None:
    """Those of libvirt in memory, which is gone with the machine."""
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "cloudsync-private", "/mnt")
    mount_folders(Path("/mnt"), disk)
    run("umount", "--lazy", "/mnt")


def _bring_up_network(uplink: bool) -> None:
    """With `uplink`: 198.51.100.1 is the machine, 198.51.100.2 (namespace `outside`) everything else."""
    run("ip", "link", "set", "lo", "up")
    if not uplink:
        return
    run("ip", "netns", "add", "outside")
    run("ip", "link", "add", "uplink0", "type", "veth", "peer", "name", "eth0", "netns", "outside")
    run("ip", "address", "add", "198.51.100.1/24", "dev", "uplink0")
    run("ip", "link", "set", "uplink0", "up")
    run("ip", "-n", "outside", "address", "add", "198.51.100.2/24", "dev", "eth0")
    run("ip", "-n", "outside", "link", "set", "lo", "up")
    run("ip", "-n", "outside", "link", "set", "eth0", "up")
    run("ip", "route", "add", "default", "via", "198.51.100.2")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
