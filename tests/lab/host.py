"""A host of the lab: `main` boots it, in a process of its own, and ends; what it started runs on until it is killed.

Namespaces of its own, folders from FOLDER/disk, its pid 1 in FOLDER/pid. It boots in the order in which systemd would:
loopback, guard, network, sshd, agent, libvirt.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from tests.lab.copied import TOP, be_the_agent, retitle, stand_in
from tests.lab.disk import hold
from tests.lab.machine import (
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
    STATE,
    WATCHED,
    mount_folders,
    reap,
    redirect,
    run,
    spawn,
    start,
    start_libvirt,
    unshare,
)
from tests.lab.namespace import ip, silence
from tests.lab.underlay import Seat

CLOUDSYNC = TOP / ".venv" / "bin" / "cloudsync"
PATH = f"{CLOUDSYNC.parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATH, "LANG": "C.UTF-8", "LIBVIRT_DEFAULT_URI": "qemu:///system"}
"""None of the person's: proxies, for one, are not the host's."""
DEVICE = "eth0"
UP = b"up\n"
_MOST = 1 << 16
"""More descriptors than a process has here."""


def furnish(folder: Path, seat: Seat, everyone: list[Seat]) -> None:
    """A new host's folder, without its keys."""
    (folder / "disk" / "cloudsync").mkdir(parents=True)
    (folder / "seat.json").write_text(json.dumps(asdict(seat)))
    names = ["127.0.0.1 localhost", *(f"{one.address} {one.name}" for one in everyone)]
    (folder / "hosts").write_text("".join(f"{line}\n" for line in names))
    (folder / "resolv.conf").touch()
    home = folder / "disk" / "root"
    home.mkdir(mode=0o700)
    users = Path("/etc/passwd").read_text().splitlines()
    (folder / "passwd").write_text("\n".join([f"root:x:0:0:root:{home}:/bin/bash", *users[1:], ""]))


def main(folder: Path, say: int) -> None:
    """`say` is a descriptor that hears UP when the host has booted; of all others it has, nothing is left."""
    os.closerange(3, say)
    os.closerange(say + 1, _MOST)
    os.setsid()
    stand_in(ENVIRONMENT, str(TOP))
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    redirect(folder / "host.log")
    unshare(CLONE_NEWPID)
    known, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(tell)
        _be_the_host(folder, say, known)
    (folder / "pid").write_text(f"{child}\n")
    os.write(tell, b"1")


def _be_the_host(folder: Path, say: int, known: int) -> NoReturn:
    """As pid 1: when it is gone, the kernel kills the rest and drops mounts, devices and rules.

    It begins when FOLDER/pid says who it is: nobody could end it otherwise.
    """
    try:
        retitle("lab", str(folder))
        if not os.read(known, 1):
            os._exit(1)
        _boot(folder, Seat(**json.loads((folder / "seat.json").read_text())))
        os.write(say, UP)
        os.close(say)
        while True:
            signal.sigwaitinfo(WATCHED)
            reap()
    except (OSError, subprocess.CalledProcessError, RuntimeError) as error:
        said = getattr(error, "stderr", None) or ""
        print(f"{folder.name} did not boot: {error}\n{said}", file=sys.stderr, flush=True)
    finally:
        os._exit(1)


def _boot(folder: Path, seat: Seat) -> None:
    hold(STATE)
    unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS)
    run("mount", "--make-rprivate", "/")
    socket.sethostname(seat.name)
    seat.plug(ip, DEVICE)
    mount_folders(folder / "disk", folder / "disk" / "cloudsync")
    _name_everyone(folder)
    _forget()
    ip("link", "set", "lo", "up")
    _guard()
    seat.connect(ip, DEVICE)
    start(["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "sshd_config")], folder / "sshd.log")
    start(["cloudsync", "agent"], folder / "agent.log", _be_ours)
    start_libvirt()


def _guard() -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(spawn(["cloudsync", "agent", "--guard"], None, _be_ours), 0)[1])
    if code:
        raise RuntimeError("cloudsync agent --guard failed")


def _be_ours(command: list[str]) -> None:
    """`cloudsync agent …`."""
    code = 1
    try:
        be_the_agent(*command[2:])
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


def _name_everyone(folder: Path) -> None:
    """Migration calls a host by its name. A resolver that no lab has would be waited for. root's home is the host's."""
    for path in (Path("/etc/hosts"), Path("/etc/resolv.conf"), Path("/etc/passwd")):
        if path.resolve().exists():
            run("mount", "--bind", folder / path.name, path.resolve())


def _forget() -> None:
    """A new namespace starts with the settings of the machine, which may forward for guests of its own."""
    silence(ip)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("0\n")
